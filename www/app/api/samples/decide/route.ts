/** A decision on the approval sample: `{ workflowRunId, isApproved, by }`. */
import { answering, InputError, objectIn, refusal, refusedPage } from "@/lib/server/samples/access";
import { decide } from "@/samples/approval/client";

export const dynamic = "force-dynamic";

export const POST = answering(async (request) => {
  const refused = await refusedPage(request);
  if (refused) return refused;
  const { workflowRunId, isApproved, by } = await objectIn(request);
  if (typeof workflowRunId !== "string" || typeof isApproved !== "boolean" || typeof by !== "string")
    throw new InputError("expected { workflowRunId, isApproved, by }");
  try {
    await decide(workflowRunId, { isApproved, by });
  } catch (error) {
    return refusal(502, "BrokerRefused", (error as Error).message);
  }
  return new Response(null, { status: 204 });
});
