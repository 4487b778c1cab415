import { createWorkflowEngine, defineWorkflow } from "@repo/orchestration/server/next";

import { placeOrder } from "@/lib/order";

export const order = defineWorkflow("order", placeOrder);

export const engine = createWorkflowEngine({ workflows: [order] });
