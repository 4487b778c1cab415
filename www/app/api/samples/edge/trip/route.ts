import { Receiver } from "@repo/orchestration/client";
import { serve } from "@repo/orchestration/workflows/nextjs";
import { apologise, trip } from "@/samples/trip/workflow";

export const runtime = "edge";
export const { POST } = serve(trip, { receiver: new Receiver(), failureFunction: apologise });
