import { Receiver } from "@repo/orchestration/client";
import { serve } from "@repo/orchestration/workflows/nextjs";
import { ai } from "@/samples/ai/workflow";

export const runtime = "edge";
export const { POST } = serve(ai, { receiver: new Receiver() });
