import { engineAt } from "@/samples/webhook/workflow";

// `../../intake` is the same. On the Edge runtime Next.js writes what `[...path]` stands for into the query of the URL, so under
// a catch-all route no delivery would have come to the URL that was signed.
export const runtime = "edge";
export const { GET, POST } = engineAt("/api/samples/edge/webhook").serve();
