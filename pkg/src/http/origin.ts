/** Which pages may change something. */
import { OrchestrationError } from "../errors.js";

/**
 * Refuses what a page of another origin asks for. Cookies travel with requests of any page, also with links and forms: one of a
 * foreign origin must not change anything. What is no browser tells neither header.
 *
 * @throws {OrchestrationError} `Forbidden`
 */
export function refuseForeign({ headers, url }: Request, allowed: readonly string[]): void {
  const origin = headers.get("origin");
  // No page can forge it.
  const site = headers.get("sec-fetch-site");
  if (origin === null ? site !== "cross-site" && site !== "same-site" : allowed.includes(origin)) return;
  if (site === "same-origin") return;
  const host = headers.get("host") ?? new URL(url).host;
  if (origin !== null && URL.canParse(origin) && new URL(origin).host === host) return;
  throw new OrchestrationError(
    "a page of another origin may not do that; allowedOrigins names those that may",
    "Forbidden",
  );
}
