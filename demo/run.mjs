// The demo: two order workflows, one in Rust and one in TypeScript, survive two crashes of the broker.
// Usage: make demo. Exits with 0 only if the verdict is PASS; at a terminal the dashboard stays until Ctrl-C.

import { startWorker } from "../scripts/workerd.mjs";
import { requireBuild } from "./lib/dashboard.mjs";
import { REFUSED_STEP } from "./lib/ledger.mjs";
import { installOrderProject } from "./lib/order-project.mjs";
import { removeFolder, temporaryFolder } from "./lib/processes.mjs";
import { printVerdict } from "./lib/report.mjs";
import { hasEnded, LANGUAGES, Stage } from "./lib/stage.mjs";
import { Printer, Timeline } from "./lib/timeline.mjs";
import { SLEEP } from "./lib/verdict.mjs";

const SETTINGS = { sleepSeconds: 3, retries: 5, retryDelay: "1000 * pow(2, retried)" };
const LIMIT_MS = 30_000;

/** When workerd is killed, in this order: each once. */
const CRASHES = [
  { reason: `the runs wait for the retry of '${REFUSED_STEP}'`, isDue: waitsForRetry },
  { reason: "the runs sleep", isDue: sleeps },
];

function waitsForRetry(logs, ledger) {
  const refused = ledger.filter((entry) => entry.status !== 200).length;
  return (
    refused === 2 * logs.length && logs.every((log) => log?.deliveries.every(({ endedAt }) => endedAt !== undefined))
  );
}

function sleeps(logs) {
  return logs.every((log) => log !== undefined && !hasEnded(log) && log.steps.some(({ name }) => name === SLEEP));
}

async function main(printer, folder, opened) {
  requireBuild();
  printer.line("Installing the packed npm package into the order project ...");
  const project = await installOrderProject(folder);
  printer.line("Starting the ledger, the Node server, and workerd with the broker and the Rust workflow ...");
  const stage = await Stage.open({ project, folder, startWorker });
  opened(stage);
  const dashboard = await stage.openDashboard();
  printer.line(`The dashboard: ${dashboard.url}`);

  printer.line();
  const timeline = new Timeline(printer, Date.now());
  for (const language of LANGUAGES) {
    const { runId } = await stage.trigger(language, SETTINGS);
    timeline.tell(language, `triggered as ${runId}`);
  }
  const crashes = [...CRASHES];
  for await (const logs of stage.watch(LIMIT_MS)) {
    timeline.show(stage.orders, logs, stage.ledger.entries);
    if (crashes[0]?.isDue(logs, stage.ledger.entries)) {
      const { reason } = crashes.shift();
      const { pid, downMs } = await stage.crash();
      timeline.tell("broker", `killed workerd (process ${pid}, SIGKILL) while ${reason}`);
      timeline.tell("broker", `workerd runs again on the same storage, after ${downMs} ms`);
    }
  }

  printer.line();
  const verdict = await stage.judge();
  if (crashes.length > 0) {
    verdict.pass = false;
    verdict.faults.push(`workerd was to be killed while ${crashes.map(({ reason }) => reason).join(", and while ")}`);
  }
  printVerdict(printer, verdict);
  if (process.stdout.isTTY) {
    printer.line();
    printer.line(`The broker and its dashboard stay until Ctrl-C: ${dashboard.url}`);
    await new Promise(() => setInterval(() => {}, 60_000));
  }
  return verdict.pass;
}

const printer = new Printer(process.stdout);
const folder = temporaryFolder();
let stage;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await stage?.close();
    removeFolder(folder);
    process.exit(130);
  });
}
let pass = false;
try {
  pass = await main(printer, folder, (opened) => {
    stage = opened;
  });
} catch (error) {
  printer.line(`error: ${error.message}`);
} finally {
  await stage?.close();
}
if (pass) removeFolder(folder);
else printer.line(`The storage, the ledger and the logs are kept in ${folder}`);
process.exitCode = pass ? 0 : 1;
