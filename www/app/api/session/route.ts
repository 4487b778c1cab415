import { isOpen, isSignedIn, misconfigured, refusal, refusedOrigin, signIn, signOut } from "@/lib/server/session";

export async function GET(request: Request): Promise<Response> {
  const refused = refusedOrigin(request);
  if (refused) return refused;
  try {
    return Response.json({ required: !isOpen(), signedIn: await isSignedIn() });
  } catch (error) {
    return misconfigured(error);
  }
}

export async function POST(request: Request): Promise<Response> {
  const refused = refusedOrigin(request);
  if (refused) return refused;
  const body: unknown = await request.json().catch(() => undefined);
  const { token } = Object(body) as { token?: unknown };
  if (typeof token !== "string" || token === "") return refusal(400, "InvalidRequest", "expected { token }");
  const url = new URL(request.url);
  const isSecure = (request.headers.get("x-forwarded-proto") ?? url.protocol).startsWith("https");
  try {
    if (await signIn(token, isSecure)) return Response.json({ required: true, signedIn: true });
  } catch (error) {
    return misconfigured(error);
  }
  return refusal(401, "Unauthorized", "that is not the token of this dashboard");
}

export async function DELETE(request: Request): Promise<Response> {
  const refused = refusedOrigin(request);
  if (refused) return refused;
  await signOut();
  return new Response(null, { status: 204 });
}
