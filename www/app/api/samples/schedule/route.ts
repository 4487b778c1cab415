/** The schedule of the report sample: `POST { cron }` makes it, `DELETE` ends it. */
import { appOrigin } from "@/lib/server/address";
import { answering, InputError, objectIn, refusal, refusedPage } from "@/lib/server/samples/access";
import { scheduleReport, unscheduleReport } from "@/samples/report/client";

export const dynamic = "force-dynamic";

export const POST = answering(async (request) => {
  const refused = await refusedPage(request);
  if (refused) return refused;
  const { cron } = await objectIn(request);
  if (typeof cron !== "string" || cron.trim() === "") throw new InputError("expected { cron }, such as 0 3 * * *");
  try {
    return Response.json(await scheduleReport(`${appOrigin(request)}/api/samples/report`, cron), { status: 201 });
  } catch (error) {
    return refusal(502, "BrokerRefused", (error as Error).message);
  }
});

export async function DELETE(request: Request): Promise<Response> {
  const refused = await refusedPage(request);
  if (refused) return refused;
  try {
    await unscheduleReport();
  } catch (error) {
    return refusal(502, "BrokerRefused", (error as Error).message);
  }
  return new Response(null, { status: 204 });
}
