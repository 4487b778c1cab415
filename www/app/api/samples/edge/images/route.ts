import { Receiver } from "@repo/orchestration/client";
import { serve } from "@repo/orchestration/workflows/nextjs";
import { images } from "@/samples/images/workflow";

export const runtime = "edge";
export const { POST } = serve(images, { receiver: new Receiver() });
