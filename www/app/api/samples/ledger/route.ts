/** The ledger of the samples: a line is written once, whatever is sent again. It can be out of order for a while. */
import { answering, InputError, objectIn, refusal, refusedPage, refusedService } from "@/lib/server/samples/access";
import { store } from "@/lib/server/samples/store";

export const dynamic = "force-dynamic";

/** Pages may read it too. */
export async function GET(request: Request): Promise<Response> {
  const refused = refusedService(request) && (await refusedPage(request));
  if (refused) return refused;
  const from = Number(new URL(request.url).searchParams.get("from") ?? 0);
  return Response.json(store().entries.filter(({ at }) => at >= from));
}

export const POST = answering(async (request) => {
  const refused = refusedService(request);
  if (refused) return refused;
  const { key, workflowRunId, kind, text, amount, failures = 0 } = await objectIn(request);
  if (
    typeof key !== "string" ||
    typeof workflowRunId !== "string" ||
    typeof kind !== "string" ||
    typeof text !== "string"
  )
    throw new InputError("expected { key, workflowRunId, kind, text, amount?, failures? }");
  if (store().triesOf(key) < Number(failures)) return refusal(503, "OutOfOrder", "the ledger is out of order");
  return Response.json(
    store().enter(key, { workflowRunId, kind, text, ...(typeof amount === "number" ? { amount } : {}) }),
  );
});

/** A page begins anew. */
export async function DELETE(request: Request): Promise<Response> {
  const refused = await refusedPage(request);
  if (refused) return refused;
  store().clear();
  return new Response(null, { status: 204 });
}
