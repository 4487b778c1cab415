/** Who may see the dashboard: whoever has signed in with its token. The cookie holds no token, only a proof of one. */
import "server-only";
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { cookies } from "next/headers";
import { brokerAddress } from "@/lib/server/broker";

const COOKIE = "orchestration_session";
const LIFETIME_S = 12 * 3600;

/** Whether no login is needed: while developing, or if `DASHBOARD_LOGIN=off` says so. */
export function isOpen(): boolean {
  const login = process.env.DASHBOARD_LOGIN;
  return login === "off" || (login === undefined && process.env.NODE_ENV === "development");
}

/** `DASHBOARD_TOKEN`, or else the broker's own token. */
const secret = (): string => process.env.DASHBOARD_TOKEN || brokerAddress().token;

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
const sameText = (one: string, other: string): boolean => timingSafeEqual(digest(one), digest(other));
const proof = (expiry: string): string =>
  createHmac("sha256", secret()).update(`session ${expiry}`).digest("base64url");

export async function isSignedIn(): Promise<boolean> {
  if (isOpen()) return true;
  const [expiry = "", signature = ""] = ((await cookies()).get(COOKIE)?.value ?? "").split(".");
  return Number(expiry) * 1000 > Date.now() && sameText(signature, proof(expiry));
}

/** Whether the token was the right one. */
export async function signIn(token: string, isSecure: boolean): Promise<boolean> {
  if (!sameText(token, secret())) return false;
  const expiry = String(Math.floor(Date.now() / 1000) + LIFETIME_S);
  (await cookies()).set(COOKIE, `${expiry}.${proof(expiry)}`, {
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
export function isForeign(request: Request): boolean {
  const origin = request.headers.get("origin");
  if (request.method === "GET" || request.method === "HEAD" || origin === null) return false;
  const host = request.headers.get("x-forwarded-host") ?? request.headers.get("host");
  return !URL.canParse(origin) || new URL(origin).host !== host;
}
