/** One scenario on two implementations: what differs, and what of it nobody intended. */
import { differences, judge, report } from "./compare.mjs";
import { run } from "./driver.mjs";
import { normalise, reactions } from "./normalise.mjs";

/** Runs a scenario and returns its normalised recording, as it would come back from disk. */
export async function recordingOf(scenario, implementation) {
  return JSON.parse(JSON.stringify(normalise(await run(scenario, implementation), scenario)));
}

/**
 * Runs a scenario on the candidate and holds it against the reference's recording.
 * @param {import("./driver.mjs").Scenario} scenario
 * @param {object[]} recording  from `recordingOf`
 * @param {import("./driver.mjs").Implementation} candidate
 * @param {import("./intended-differences.mjs").IntendedDifference[]} table
 * @returns {Promise<{ unexpected: import("./compare.mjs").Difference[], used: Set<object>, text: string }>}
 *   `used` holds the entries of the table that covered something, `text` words the unexpected differences
 */
export async function differential(scenario, recording, candidate, table = []) {
  const actual = await recordingOf(scenario, candidate);
  const { unexpected, used } = judge(differences(reactions(recording), reactions(actual)), scenario.name, table);
  return { unexpected, used, text: report(unexpected, { expected: "reference", actual: candidate.name }) };
}
