/** Who may use the samples: pages as with the broker, and the workflows of this app by its key. */
import "server-only";
import { createHash, timingSafeEqual } from "node:crypto";
import { refusal, refusedPage } from "@/lib/server/session";

export { refusal, refusedPage };

/** The answer to a caller without the key; `undefined` for the app's own workflows. */
export function refusedService(request: Request): Response | undefined {
  const [scheme, key = ""] = (request.headers.get("authorization") ?? "").split(" ");
  const { SAMPLES_KEY } = process.env;
  const isKnown = scheme === "Bearer" && SAMPLES_KEY && timingSafeEqual(digest(key), digest(SAMPLES_KEY));
  return isKnown ? undefined : refusal(401, "Unauthorized", "the services are for the samples of this app");
}

/** @throws {InputError} unless it is an object in JSON */
export async function objectIn(request: Request): Promise<Record<string, unknown>> {
  const value: unknown = await request.json().catch(() => undefined);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new InputError("expected an object in JSON");
  return value as Record<string, unknown>;
}

/** What was sent can't be used; the message says what is expected. */
export class InputError extends Error {
  override readonly name = "InputError";
}

/** A handler whose {@link InputError}s are answered with 400. */
export const answering =
  (handler: (request: Request) => Promise<Response>) =>
  async (request: Request): Promise<Response> => {
    try {
      return await handler(request);
    } catch (error) {
      if (error instanceof InputError) return refusal(400, "InvalidRequest", error.message);
      throw error;
    }
  };

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
