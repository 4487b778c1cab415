import { engineAt } from "@/samples/webhook/workflow";

export const runtime = "edge";
export const { GET, POST } = engineAt("/api/samples/edge/webhook").serve();
