/** Ids of runs that follow from what has started them, so that the same is not started twice. */
import { joined } from "./hmac.js";

/** The id of the run of something that has an id of its own. Others can't have made it up: a message's, a signed delivery's. */
export const runIdOf = async (trigger: string, id: string): Promise<string> =>
  /^[\w-]{1,64}$/.test(id) ? `${trigger}-${id}` : hashedRunId(trigger, id);

/**
 * The same for what anybody can choose. It does not collide with others: only what is the same in every part gives the same id.
 */
export async function hashedRunId(trigger: string, ...parts: readonly (string | Uint8Array)[]): Promise<string> {
  const encoder = new TextEncoder();
  const told = parts.flatMap((part) => {
    const bytes = typeof part === "string" ? encoder.encode(part) : part;
    return parts.length === 1 ? [bytes] : [`${bytes.byteLength}:`, bytes];
  });
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", joined(told)));
  const hex = [...hash.subarray(0, ID_BYTES)].map((byte) => byte.toString(16).padStart(2, "0"));
  return `${trigger}-${hex.join("")}`;
}

const ID_BYTES = 16;
