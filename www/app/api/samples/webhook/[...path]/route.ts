import { engineAt } from "@/samples/webhook/workflow";

export const { GET, POST } = engineAt("/api/samples/webhook").serve();
