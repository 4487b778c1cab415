// Ten crashes of workerd at random moments of a run's life; the verdict holds after each.
// The seed is printed. Set ORCHESTRATION_SEED to repeat a failure.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { installOrderProject } from "../../demo/lib/order-project.mjs";
import { removeFolder, run, temporaryFolder } from "../../demo/lib/processes.mjs";
import { LANGUAGES, Stage } from "../../demo/lib/stage.mjs";
import { startWorker } from "../../scripts/workerd.mjs";
import { seededRandom } from "./random.mjs";

const DEFAULT_SEED = 20_261_123;
const ROOT = join(import.meta.dirname, "../..");

const SETTINGS = { sleepSeconds: 1, retries: 6, retryDelay: "200" };
const LIMIT_MS = 45_000;
/** Crashes at a moment between two executions, spread over the runs' lives. */
const TIMED = 6;
/** Crashes while a delivery is open: a step has been written down, and its result is not accepted yet. */
const OPEN = 4;
const LONGEST_MOMENT_MS = 200;
/** How many executions two runs write down, retries included. */
const EXECUTIONS = LANGUAGES.length * 7;

const seed = Number(process.env.ORCHESTRATION_SEED ?? DEFAULT_SEED);
const folder = temporaryFolder();
let failed = false;
let project;

before(async () => {
  console.log(`seed ${seed} (set ORCHESTRATION_SEED to another one)`);
  project = await installOrderProject(folder);
});

after(() => {
  if (failed) console.log(`the storages, ledgers and logs are kept in ${folder}`);
  else removeFolder(folder);
});

test("the order project type-checks against the packed package", async () => {
  await run("tsc", ["-p", project, "--typeRoots", join(ROOT, "node_modules/@types")], { cwd: ROOT });
});

test("without a crash every step is executed once", async () => {
  const { verdict, lifeMs } = await play("calm", {});
  console.log(`    two runs take ${lifeMs} ms`);
  assert.ok(verdict.runs.every(({ steps }) => steps.every(({ executed }) => executed <= 1)));
});

test("the verdict holds after a crash", { concurrency: 2 }, async (t) => {
  const crashes = plan(seededRandom(seed));
  let missed = 0;
  const subtests = crashes.map(({ name, crash }, i) =>
    t.test(name, async () => {
      const { hit, lifeMs } = await play(`crash-${i + 1}`, crash);
      if (!hit) missed += 1;
      console.log(`    ${i + 1}/${crashes.length}: ${name}: ${hit ? "held" : "came after the end"}, ${lifeMs} ms`);
    }),
  );
  await Promise.all(subtests);
  assert.ok(missed <= 2, `${missed} of ${crashes.length} crashes came after both runs had ended`);
});

/** The crashes that the seed determines. */
function plan(random) {
  const timed = Array.from({ length: TIMED }, (_, i) => {
    // The last executions are left out: the crash has to come before both runs have ended, however quick they are.
    const execution = 1 + Math.floor(((i + random()) / TIMED) * (EXECUTIONS - LANGUAGES.length));
    const afterMs = Math.round(random() * LONGEST_MOMENT_MS);
    return { name: `${afterMs} ms after execution ${execution}`, crash: { execution, afterMs } };
  });
  const open = Array.from({ length: OPEN }, (_, i) => {
    const execution = 1 + Math.floor(((i + random()) / OPEN) * EXECUTIONS);
    const answer = i % 2 === 0 ? "before" : "after";
    const name = `during execution ${execution}, which is answered ${answer} the restart`;
    return { name, crash: { execution, answer } };
  });
  return [...timed, ...open];
}

/**
 * Plays two runs with one crash, or none, to their end. `hit` tells whether the crash came before that;
 * `lifeMs` is the time from the second trigger to the end of the later run.
 */
async function play(name, { afterMs, execution, answer }) {
  const place = join(folder, name);
  mkdirSync(place);
  let stage;
  let crashed;
  const triggered = Promise.withResolvers();
  const onEntry = async ({ entry }) => {
    if (entry !== execution) return;
    await triggered.promise;
    crashed = delay(afterMs ?? 0).then(() => crash(stage));
    if (answer === "after") await crashed;
  };
  try {
    stage = await Stage.open({ project, folder: place, startWorker, onEntry });
    for (const language of LANGUAGES) await stage.trigger(language, SETTINGS);
    const began = Date.now();
    triggered.resolve();
    for await (const _ of stage.watch(LIMIT_MS));
    const crashedAt = await crashed;
    const verdict = await stage.judge();
    assert.deepEqual(verdict.faults, []);
    assert.ok(verdict.pass);
    const ended = Math.max(...(await stage.logs()).map(({ endedAt }) => endedAt));
    return { verdict, hit: crashedAt <= ended, lifeMs: ended - began };
  } catch (error) {
    failed = true;
    throw error;
  } finally {
    await crashed?.catch(() => {});
    await stage?.close();
  }
}

/** Returns when the crash came, Unix time in ms. */
async function crash(stage) {
  const at = Date.now();
  await stage.crash();
  return at;
}
