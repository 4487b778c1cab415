/** Which endpoints fail, from the log. */
import type { LogEntry } from "../broker/types";

export interface FailingEndpoint {
  url: string;
  /** Failed attempts among the entries. */
  errors: number;
  /** When the newest of them was. */
  lastAt: number;
  lastStatus?: number;
  lastError?: string;
}

/** The endpoints of `ERROR` and `FAILED` entries (newest first), those with most failed attempts first. */
export function failingEndpoints(events: readonly LogEntry[], most: number): FailingEndpoint[] {
  const found = new Map<string, FailingEndpoint>();
  for (const { url, state, time, responseStatus, error } of events) {
    if (state !== "ERROR" && state !== "FAILED") continue;
    const known = found.get(url);
    // A message that is given up was counted as its last failed attempt.
    if (known) known.errors += state === "ERROR" ? 1 : 0;
    else
      found.set(url, {
        url,
        errors: state === "ERROR" ? 1 : 0,
        lastAt: time,
        ...(responseStatus ? { lastStatus: responseStatus } : {}),
        ...(error ? { lastError: error } : {}),
      });
  }
  return [...found.values()]
    .sort((one, other) => other.errors - one.errors || other.lastAt - one.lastAt)
    .slice(0, most);
}
