import { isForeign, isOpen, isSignedIn, signIn, signOut } from "@/lib/server/session";

export async function GET(): Promise<Response> {
  return Response.json({ required: !isOpen(), signedIn: await isSignedIn() });
}

export async function POST(request: Request): Promise<Response> {
  if (isForeign(request)) return refusal(403, "Forbidden", "a page of another site can't sign in");
  const { token } = (await request.json().catch(() => ({}))) as { token?: unknown };
  if (typeof token !== "string" || token === "") return refusal(400, "InvalidRequest", "expected { token }");
  const url = new URL(request.url);
  const isSecure = (request.headers.get("x-forwarded-proto") ?? url.protocol).startsWith("https");
  if (!(await signIn(token, isSecure))) return refusal(401, "Unauthorized", "that is not the token of this dashboard");
  return Response.json({ required: true, signedIn: true });
}

export async function DELETE(request: Request): Promise<Response> {
  if (isForeign(request)) return refusal(403, "Forbidden", "a page of another site can't sign out");
  await signOut();
  return new Response(null, { status: 204 });
}

const refusal = (status: number, code: string, error: string): Response => Response.json({ error, code }, { status });
