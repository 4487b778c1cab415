// The test driver: runs the suites in order, some together, keeps each one's output in target/test-logs, and counts.
// Usage: scripts/test [suite ...]

import { spawn } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, readFileSync } from "node:fs";

const LOGS = "target/test-logs";
const SUITE_LIMIT_MS = 20 * 60_000;
const HEARTBEAT_MS = 15_000;
const FAILURE_LINES = 80;
const LINE_CHARACTERS = 100;
// Plain text to count from, and patience with a browser on a busy machine.
const ENV = { ...process.env, CARGO_TERM_COLOR: "never", NO_COLOR: "1", WASM_BINDGEN_TEST_TIMEOUT: "120" };
delete ENV.FORCE_COLOR;
const WASM = "--target wasm32-unknown-unknown";

const suites = [
  step("format", "cargo fmt --check && biome ci --colors=off --error-on-warnings ."),
  step("clippy native", "cargo clippy --all-targets -- -D warnings"),
  step("clippy wasm js", `cargo clippy ${WASM} --features js --lib --tests -- -D warnings`),
  step("clippy wasm rules", `cargo clippy ${WASM} --features rules --lib -- -D warnings`),
  step("clippy wasm server", `cargo clippy ${WASM} --features server --lib -- -D warnings`),
  step("clippy wasm standalone", `cargo clippy ${WASM} --features standalone --lib -- -D warnings`),
  counted("native", "cargo test", countCargo),
  // Linked with optimization over the whole program, each uses one core.
  together(step("build npm", "scripts/build-npm"), step("build worker", "scripts/build-worker")),
  step("types", "tsc --noEmit -p pkg && tsc -p pkg/node", existsSync("pkg/tsconfig.json")),
  step("build www", "scripts/build-www"),
  counted("wasm node", "wasm-pack test --mode no-install --node -- --features js", countCargo),
  counted(
    "wasm browser",
    `wasm-pack test --mode no-install --headless --chrome --chromedriver "$(command -v chromedriver)" -- --features js`,
    countCargo,
  ),
  ...["signature", "worker", "conformance", "python", "differential"].map(nodeSuite),
  counted(
    "differential ours",
    "DIFFERENTIAL_CANDIDATE=ours node --test --test-reporter=spec tests/differential/differential.test.mjs",
    countNode,
    existsSync("pkg/build.mjs"),
  ),
  ...["package", "runtimes", "engine", "triggers", "resilience", "http", "hooks", "node-host", "demo", "www"].map(
    nodeSuite,
  ),
].flat();

/** These run at the same time. */
function together(...several) {
  return several.map((suite) => ({ ...suite, group: several[0].name }));
}

/** A check that passes or fails as one. */
function step(name, command, exists = true) {
  return { name, command, exists, count: (_, ok) => ({ passed: ok ? 1 : 0, failed: ok ? 0 : 1 }) };
}

/** A suite whose own tests are counted from its output. */
function counted(name, command, count, exists = true) {
  return { name, command, count, exists };
}

/** Files run one at a time where Node.js sees two cores, unless `parallel` says otherwise: these wait more than they compute. */
function nodeSuite(name) {
  const folder = `tests/${name}`;
  const parallel = ["conformance", "package", "runtimes", "www"].includes(name) ? " --test-concurrency=2" : "";
  const command = `node --test --test-reporter=spec${parallel} "${folder}/*.test.mjs"`;
  return counted(name, command, countNode, existsSync(folder));
}

/** Sums the result lines of `cargo test` and of wasm-bindgen's test runner. */
function countCargo(output) {
  const lines = [...output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed/gm)];
  return { passed: sum(lines, 1), failed: sum(lines, 2) };
}

/** Reads the summary of `node --test`; a cancelled test is a failed one. */
function countNode(output) {
  const total = (word) => sum([...output.matchAll(new RegExp(`^(?:ℹ|#) ${word} (\\d+)$`, "gm"))], 1);
  return { passed: total("pass"), failed: total("fail") + total("cancelled") };
}

function sum(matches, group) {
  return matches.reduce((total, match) => total + Number(match[group]), 0);
}

/** Runs one suite and resolves with its counts; the reason is set when something besides a test failed. */
function run(suite, log) {
  return new Promise((resolve) => {
    const started = Date.now();
    const seconds = () => ((Date.now() - started) / 1000).toFixed(1);
    const file = createWriteStream(log);
    // A process group of its own: what a suite started ends with it.
    const child = spawn("bash", ["-c", suite.command], { detached: true, env: ENV, stdio: ["ignore", "pipe", "pipe"] });
    running.add(child.pid);
    let reason;
    let latest = "";
    const heartbeat = setInterval(() => console.log(`    ${seconds()} s ... ${latest}`), HEARTBEAT_MS);
    const limit = setTimeout(() => {
      reason = `ended after the limit of ${SUITE_LIMIT_MS / 60_000} minutes`;
      kill(child.pid);
    }, SUITE_LIMIT_MS);
    for (const stream of [child.stdout, child.stderr]) {
      stream.pipe(file, { end: false });
      stream.on("data", (text) => {
        latest = String(text).trim().split("\n").at(-1).trim().slice(0, LINE_CHARACTERS) || latest;
      });
    }
    child.on("close", (code, signal) => {
      clearInterval(heartbeat);
      clearTimeout(limit);
      kill(child.pid);
      running.delete(child.pid);
      file.end(() => {
        const counts = suite.count(readFileSync(log, "utf8"), code === 0 && !reason);
        if (code !== 0) reason ??= `exit status ${code ?? signal}`;
        else if (counts.passed + counts.failed === 0) reason = "no test ran";
        if (reason && counts.failed === 0) counts.failed = 1;
        resolve({ ...counts, reason, seconds: seconds() });
      });
    });
  });
}

async function runAndTell(suite, place) {
  console.log(`\n[${place}] ${suite.name}: ${suite.command}`);
  const log = `${LOGS}/${suite.name.replaceAll(" ", "-")}.log`;
  const { passed, failed, reason, seconds } = await run(suite, log);
  if (failed > 0) console.log(tail(log));
  const outcome = reason ? ` (${reason}; ${log})` : "";
  const name = suite.group ? `${suite.name}: ` : "";
  console.log(`    ${name}${passed} passed, ${failed} failed in ${seconds} s${outcome}`);
  total.passed += passed;
  total.failed += failed;
}

function kill(group) {
  try {
    process.kill(-group, "SIGKILL");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

function tail(log) {
  return readFileSync(log, "utf8").split("\n").slice(-FAILURE_LINES).join("\n");
}

/** The suites to run, in order: those that exist, or those that were named. */
function chosen(names) {
  const known = suites.map((suite) => suite.name.replaceAll(" ", "-"));
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    console.error(`unknown suite ${unknown.join(", ")}; there are: ${known.join(", ")}`);
    process.exit(2);
  }
  return suites.filter((suite, i) => (names.length > 0 ? names.includes(known[i]) : suite.exists));
}

/** The process groups of what runs now. */
const running = new Set();
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    for (const group of running) kill(group);
    process.exit(130);
  });
}

mkdirSync(LOGS, { recursive: true });
const total = { passed: 0, failed: 0 };
const toRun = chosen(process.argv.slice(2));
for (let next = 0; next < toRun.length; ) {
  const { group } = toRun[next];
  const size = group === undefined ? 1 : toRun.slice(next).filter((suite) => suite.group === group).length;
  await Promise.all(
    toRun.slice(next, next + size).map((suite, i) => runAndTell(suite, `${next + i + 1}/${toRun.length}`)),
  );
  next += size;
}
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
