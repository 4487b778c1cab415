import { serve } from "@repo/orchestration/workflows/nextjs";

import { placeOrder } from "@/lib/order";

export const runtime = "edge";

export const { POST } = serve(placeOrder);
