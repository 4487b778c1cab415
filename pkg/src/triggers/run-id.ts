/** Ids of runs that follow from what has started them, so that the same is not started twice. */

/** The id of the run of something that has an id of its own. Others can't have made it up: a message's, a signed delivery's. */
export const runIdOf = async (trigger: string, id: string): Promise<string> =>
  /^[\w-]{1,64}$/.test(id) ? `${trigger}-${id}` : hashedRunId(trigger, id);

/** The same for an id that anybody can choose. It does not collide with others. */
export async function hashedRunId(trigger: string, id: string): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(id)));
  const hex = [...hash.subarray(0, ID_BYTES)].map((byte) => byte.toString(16).padStart(2, "0"));
  return `${trigger}-${hex.join("")}`;
}

const ID_BYTES = 16;
