/** Who may see the dashboard: whoever has signed in with its token. The cookie holds no token, only a proof of one. */
import "server-only";
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { cookies } from "next/headers";
import { DEVELOPMENT_TOKEN } from "@/lib/broker/development";
import { brokerAddress, ConfigurationError } from "@/lib/server/broker";
import { isLocalHost } from "@/lib/server/local";

const COOKIE = "orchestration_session";
const LIFETIME_S = 12 * 3600;
/** A proxy in front of the app asks for the login. */
const ELSEWHERE = "elsewhere";

/** Whether no login is needed here: while developing with nothing but the public token, or if `DASHBOARD_LOGIN` says so. */
export function isOpen(): boolean {
  const { DASHBOARD_LOGIN, NODE_ENV } = process.env;
  if (DASHBOARD_LOGIN) return DASHBOARD_LOGIN === "off" || DASHBOARD_LOGIN === ELSEWHERE;
  return NODE_ENV === "development" && !hasSecret();
}

/** Whether the broker's token is one that not everybody knows. */
function hasSecret(): boolean {
  try {
    return brokerAddress().token !== DEVELOPMENT_TOKEN;
  } catch {
    return Boolean(process.env.QSTASH_TOKEN);
  }
}

/** `DASHBOARD_TOKEN`, or else the broker's own token. @throws {ConfigurationError} if there is neither */
const secret = (): string => process.env.DASHBOARD_TOKEN || brokerAddress().token;

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
const sameText = (one: string, other: string): boolean => timingSafeEqual(digest(one), digest(other));
const proof = (expiry: string, key: string): string =>
  createHmac("sha256", key).update(`session ${expiry}`).digest("base64url");

/** @throws {ConfigurationError} if nobody can sign in */
export async function isSignedIn(): Promise<boolean> {
  if (isOpen()) return true;
  const key = secret();
  const [expiry = "", signature = ""] = ((await cookies()).get(COOKIE)?.value ?? "").split(".");
  return Number(expiry) * 1000 > Date.now() && sameText(signature, proof(expiry, key));
}

/** Whether the token was the right one. @throws {ConfigurationError} if there is none */
export async function signIn(token: string, isSecure: boolean): Promise<boolean> {
  const key = secret();
  if (!sameText(token, key)) return false;
  const expiry = String(Math.floor(Date.now() / 1000) + LIFETIME_S);
  (await cookies()).set(COOKIE, `${expiry}.${proof(expiry, key)}`, {
    httpOnly: true,
    sameSite: "strict",
    secure: isSecure,
    path: "/",
    maxAge: LIFETIME_S,
  });
  return true;
}

export async function signOut(): Promise<void> {
  (await cookies()).delete(COOKIE);
}

/** Whether a page of another site sends this; `SameSite=Strict` says no already, this says it once more. */
function isForeign(request: Request): boolean {
  const origin = request.headers.get("origin");
  if (request.method === "GET" || request.method === "HEAD" || origin === null) return false;
  const host = request.headers.get("x-forwarded-host") ?? request.headers.get("host");
  return !URL.canParse(origin) || new URL(origin).host !== host;
}

/** Whether the app is open, and this came by a name that could be a site's. A page may set the forwarded one. */
function isByForeignName({ headers }: Request): boolean {
  if (!isOpen() || process.env.DASHBOARD_LOGIN === ELSEWHERE) return false;
  const names = [headers.get("host") ?? "unknown.invalid", headers.get("x-forwarded-host")];
  return names.some((name) => name !== null && !name.split(",").every((each) => isLocalHost(each.trim())));
}

/** The answer to a request that comes from a page of another site; `undefined` if it is one of this app's pages. */
export function refusedOrigin(request: Request): Response | undefined {
  if (isForeign(request)) return refusal(403, "Forbidden", "a page of another site can't act here");
  if (isByForeignName(request)) return refusal(403, "Forbidden", FOREIGN_NAME);
  return undefined;
}

const FOREIGN_NAME =
  "an app without a login is reached by an address or a local name only; to reach it by a public name set DASHBOARD_LOGIN=on, or =elsewhere if a proxy in front asks for the login";

/** The answer to a page that may not act; `undefined` if it may. */
export async function refusedPage(request: Request): Promise<Response | undefined> {
  const refused = refusedOrigin(request);
  if (refused) return refused;
  try {
    return (await isSignedIn()) ? undefined : refusal(401, "Unauthorized", "sign in first");
  } catch (error) {
    return misconfigured(error);
  }
}

/** What to set, if that is what is wrong. @throws anything else */
export function misconfigured(error: unknown): Response {
  if (error instanceof ConfigurationError) return refusal(503, "InvalidConfiguration", error.message);
  throw error;
}

export const refusal = (status: number, code: string, error: string): Response =>
  Response.json({ error, code }, { status });
