/** Where the broker is, for the page that tells how to use it. Its token stays here. */
import { DEVELOPMENT_TOKEN } from "@/lib/broker/development";
import { brokerAddress } from "@/lib/server/broker";
import { isSignedIn } from "@/lib/server/session";

export const dynamic = "force-dynamic";

export async function GET(): Promise<Response> {
  if (!(await isSignedIn())) return Response.json({ error: "sign in first", code: "Unauthorized" }, { status: 401 });
  try {
    const { url, token } = brokerAddress();
    return Response.json({ url, isDevelopment: token === DEVELOPMENT_TOKEN });
  } catch (error) {
    return Response.json({ error: (error as Error).message, code: "InvalidConfiguration" }, { status: 503 });
  }
}
