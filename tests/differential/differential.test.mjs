/**
 * Every scenario on the reference, held against its golden recording, and on the candidate, held against the reference.
 * `DIFFERENTIAL_CANDIDATE` names the candidate: an export of `implementations.mjs`.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, describe, test } from "node:test";

import { differences, report } from "./compare.mjs";
import { differential, recordingOf } from "./differential.mjs";
import { official, ours } from "./implementations.mjs";
import { INTENDED_DIFFERENCES } from "./intended-differences.mjs";
import { readGolden } from "./recordings.mjs";
import { TOPICS } from "./scenarios/index.mjs";

const implementations = { official, ours };
const CANDIDATE = process.env.DIFFERENTIAL_CANDIDATE ?? "ours";

assert.ok(
  CANDIDATE in implementations,
  `DIFFERENTIAL_CANDIDATE is ${CANDIDATE}; expected ${Object.keys(implementations).join(" or ")}`,
);
const reference = await implementations.official();
const candidate = await implementations[CANDIDATE]();
const documented = await readFile(new URL("../../docs/compatibility.md", import.meta.url), "utf8");
const table = CANDIDATE === "official" ? [] : INTENDED_DIFFERENCES;

describe(
  CANDIDATE === "official" ? `${reference.name} against itself` : `${candidate.name} against ${reference.name}`,
  () => {
    const used = new Set();

    for (const [topic, scenarios] of Object.entries(TOPICS)) {
      describe(topic, async () => {
        const golden = await readGolden(topic);

        test("the golden recordings are of these scenarios", () => {
          assert.deepEqual(
            Object.keys(golden),
            scenarios.map(({ name }) => name),
            "run record.mjs",
          );
        });

        for (const scenario of scenarios) {
          test(scenario.name, async () => {
            const recording = await recordingOf(scenario, reference);
            const drift = differences(golden[scenario.name], recording);
            if (drift.length > 0) {
              assert.fail(
                `the reference no longer does what was recorded; if that is right, run record.mjs\n${report(drift, { expected: "golden", actual: "now" })}`,
              );
            }
            const result = await differential(scenario, recording, candidate, table);
            for (const entry of result.used) used.add(entry);
            if (result.unexpected.length > 0) assert.fail(`${scenario.name}\n${result.text}`);
          });
        }
      });
    }

    test("docs/compatibility.md lists every intended difference", () => {
      const missing = INTENDED_DIFFERENCES.filter(({ reason }) => !documented.includes(reason));
      assert.deepEqual(
        missing.map(({ reason }) => reason),
        [],
      );
    });

    after(() => {
      const stale = table.filter((entry) => !used.has(entry));
      assert.deepEqual(stale, [], "intended differences that cover nothing any more; remove them");
    });
  },
);
