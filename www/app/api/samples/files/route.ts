/** The files that samples make. */
import { refusal, refusedPage, refusedService } from "@/lib/server/samples/access";
import { store } from "@/lib/server/samples/store";

export const dynamic = "force-dynamic";

const MAX_BYTES = 1 << 20;
const TYPES: Readonly<Record<string, string>> = { png: "image/png", csv: "text/csv; charset=utf-8" };

/** `?run=…&name=…` is a file; without, it is the list. */
export async function GET(request: Request): Promise<Response> {
  const refused = await refusedPage(request);
  if (refused) return refused;
  const { run, name } = parameters(request);
  if (!name) {
    const list = store().files.map(({ content, ...file }) => ({ ...file, bytes: content.length }));
    return Response.json(list);
  }
  const file = store().file(run, name);
  if (!file) return refusal(404, "NotFound", "there is no such file, or it made place for newer ones");
  return new Response(file.content, { headers: { "content-type": file.type, "x-content-type-options": "nosniff" } });
}

export async function POST(request: Request): Promise<Response> {
  const refused = refusedService(request);
  if (refused) return refused;
  const { run, name } = parameters(request);
  const type = TYPES[name.split(".").pop() ?? ""];
  if (!run || !type) return refusal(400, "InvalidRequest", "expected ?run=…&name=…, the name that of a png or csv");
  const content = new Uint8Array(await request.arrayBuffer());
  if (content.length > MAX_BYTES) return refusal(413, "PayloadTooLarge", `a file has at most ${MAX_BYTES} bytes`);
  store().save({ name, workflowRunId: run, type, content });
  return Response.json({ name, bytes: content.length });
}

function parameters(request: Request): { run: string; name: string } {
  const { searchParams } = new URL(request.url);
  return { run: searchParams.get("run") ?? "", name: searchParams.get("name") ?? "" };
}
