/** The stock of the samples: as much as there is can be reserved, and given back. */
import { answering, InputError, objectIn, refusal, refusedPage, refusedService } from "@/lib/server/samples/access";
import { ARTICLES, store } from "@/lib/server/samples/store";

export const dynamic = "force-dynamic";

export async function GET(request: Request): Promise<Response> {
  const refused = refusedService(request) && (await refusedPage(request));
  if (refused) return refused;
  return Response.json(Object.fromEntries(Object.keys(ARTICLES).map((item) => [item, store().left(item)])));
}

export const POST = answering(async (request) => {
  const refused = refusedService(request);
  if (refused) return refused;
  const { key, item, quantity } = await objectIn(request);
  const article = typeof item === "string" && Object.hasOwn(ARTICLES, item) ? ARTICLES[item] : undefined;
  if (typeof key !== "string" || !article || !Number.isInteger(quantity) || (quantity as number) < 0)
    throw new InputError(`expected { key, item, quantity }, the item one of ${Object.keys(ARTICLES).join(", ")}`);
  if (!store().reserve(key, item as string, quantity as number))
    return refusal(
      409,
      "SoldOut",
      `${quantity} × ${item} is more than the ${store().left(item as string)} that are left`,
    );
  return Response.json({ item, quantity, price: article.price });
});
