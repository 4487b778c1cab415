import { Receiver } from "@repo/orchestration/client";
import { serve } from "@repo/orchestration/workflows/nextjs";
import { order } from "@/samples/order/workflow";

/** The receiver refuses everything that the broker has not signed, and everything at all while there are no keys. */
export const { POST } = serve(order, { receiver: new Receiver() });
