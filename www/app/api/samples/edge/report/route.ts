import { Receiver } from "@repo/orchestration/client";
import { serve } from "@repo/orchestration/workflows/nextjs";
import { report } from "@/samples/report/workflow";

export const runtime = "edge";
export const { POST } = serve(report, { receiver: new Receiver() });
