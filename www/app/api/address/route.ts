/** Where the broker is, for the page that tells how to use it. Its token stays here. */
import { DEVELOPMENT_TOKEN } from "@/lib/broker/development";
import { brokerAddress } from "@/lib/server/broker";
import { misconfigured, refusedPage } from "@/lib/server/session";

export const dynamic = "force-dynamic";

export async function GET(request: Request): Promise<Response> {
  const refused = await refusedPage(request);
  if (refused) return refused;
  try {
    const { url, token } = brokerAddress();
    return Response.json({ url, isDevelopment: token === DEVELOPMENT_TOKEN });
  } catch (error) {
    return misconfigured(error);
  }
}
