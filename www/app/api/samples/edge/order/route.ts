import { Receiver } from "@repo/orchestration/client";
import { serve } from "@repo/orchestration/workflows/nextjs";
import { order } from "@/samples/order/workflow";

export const runtime = "edge";
export const { POST } = serve(order, { receiver: new Receiver() });
