import { engine } from "@/samples/webhook/workflow";

export const { GET, POST } = engine.serve();
