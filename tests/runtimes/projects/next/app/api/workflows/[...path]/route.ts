import { engine } from "@/lib/engine";

export const { GET, POST } = engine.serve();
