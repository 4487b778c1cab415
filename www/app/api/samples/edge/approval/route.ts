import { Receiver } from "@repo/orchestration/client";
import { serve } from "@repo/orchestration/workflows/nextjs";
import { approval } from "@/samples/approval/workflow";

export const runtime = "edge";
export const { POST } = serve(approval, { receiver: new Receiver() });
