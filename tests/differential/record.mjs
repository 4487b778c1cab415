/** Writes the golden recordings anew: `node tests/differential/record.mjs [topic…]`. Review the diff before committing it. */
import { recordingOf } from "./differential.mjs";
import { official } from "./implementations.mjs";
import { writeGolden } from "./recordings.mjs";
import { TOPICS } from "./scenarios/index.mjs";

const wanted = process.argv.slice(2);
const unknown = wanted.filter((topic) => !(topic in TOPICS));
if (unknown.length > 0) throw new Error(`no topic ${unknown.join(", ")}; there are ${Object.keys(TOPICS).join(", ")}`);

const reference = await official();
for (const topic of wanted.length > 0 ? wanted : Object.keys(TOPICS)) {
  const recordings = {};
  for (const scenario of TOPICS[topic]) recordings[scenario.name] = await recordingOf(scenario, reference);
  await writeGolden(topic, recordings);
  console.log(`${topic}: ${TOPICS[topic].length} scenarios`);
}
