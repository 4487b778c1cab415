/** Starts a sample for a page: `{ sample, runtime?, input? }`. */
import { appOrigin, problems } from "@/lib/server/address";
import { answering, InputError, objectIn, refusal, refusedPage } from "@/lib/server/samples/access";
import { start, valuesOf } from "@/lib/server/samples/starts";
import { pathOf, RUNTIMES, SAMPLES, sampleNamed } from "@/samples/catalogue";

export const dynamic = "force-dynamic";

/** Where the broker delivers, and what keeps it from that. */
export async function GET(request: Request): Promise<Response> {
  const refused = await refusedPage(request);
  return refused ?? Response.json({ origin: appOrigin(request), problems: problems(request) });
}

export const POST = answering(async (request) => {
  const refused = await refusedPage(request);
  if (refused) return refused;
  const { sample: name, runtime = "nodejs", input } = await objectIn(request);
  const sample = sampleNamed(name);
  if (!sample) throw new InputError(`expected a sample: ${SAMPLES.map((each) => each.name).join(", ")}`);
  const place = RUNTIMES.find((each) => each === runtime);
  if (!place) throw new InputError(`expected the runtime ${RUNTIMES.join(" or ")}`);
  const values = valuesOf(sample, input);
  try {
    return await start(sample, appOrigin(request) + pathOf(sample, place), values);
  } catch (error) {
    return refusal(502, "BrokerRefused", (error as Error).message);
  }
});
