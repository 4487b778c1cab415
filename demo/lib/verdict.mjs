/**
 * The verdict: whether the runs ended as they should, judged by two witnesses that know nothing of each other,
 * the ledger (what was executed) and the broker's log (what was remembered).
 *
 * Steps are executed at least once. A step whose result the broker has not accepted is executed again after a crash:
 * that is the promise, not a fault. A *remembered* step is one whose result is in the broker's log. From the moment
 * it was accepted it may never be executed again, however often the broker dies. So of one step:
 *
 * - every execution is at or before the acceptance of its result, or belongs to a delivery that the log shows as
 *   open from before the acceptance until after the execution: two deliveries of one message that overlap;
 * - beyond the first, there is at most one successful execution for each crash;
 * - the result that is remembered is the one of an execution that the ledger knows.
 */
import { isDeepStrictEqual } from "node:util";

import { REFUSALS, REFUSED_STEP } from "./ledger.mjs";

/** The steps of the order workflow, in order; steps in one array are parallel. */
export const SLEEP = "wait for the parcel";
export const STEPS = [["validate"], [REFUSED_STEP], ["reserve", "email"], [SLEEP], ["ship"]];

/**
 * @typedef {import("./ledger.mjs").LedgerEntry} LedgerEntry
 * @typedef {import("./log.mjs").RunLog} RunLog
 *
 * @typedef {object} Order
 * @property {string} runId
 * @property {string} language
 * @property {string} orderId
 * @property {number} sleepSeconds
 *
 * @typedef {object} StepVerdict
 * @property {string} step
 * @property {number} executed   successful executions in the ledger; 0 for a sleep
 * @property {number} refused    executions that the ledger refused
 * @property {boolean} remembered  whether the broker's log holds its result
 * @property {number} again      executions after the result was accepted
 *
 * @typedef {object} Verdict
 * @property {boolean} pass
 * @property {string[]} faults
 * @property {{ order: Order, state: string, steps: StepVerdict[] }[]} runs
 */

/**
 * @param {object} evidence
 * @param {Order[]} evidence.orders    what was triggered
 * @param {LedgerEntry[]} evidence.ledger
 * @param {(RunLog | undefined)[]} evidence.logs
 * @param {number} evidence.crashes    how often the broker was killed
 * @returns {Verdict}
 */
export function judge({ orders, ledger, logs, crashes }) {
  const faults = [];
  const runs = orders.map((order) => {
    const log = logs.find((candidate) => candidate?.runId === order.runId);
    const entries = ledger.filter((entry) => entry.runId === order.runId);
    const fault = (text) => faults.push(`${order.language} run ${order.runId}: ${text}`);
    if (log === undefined) {
      fault("the broker's log does not know it");
      return { order, state: "unknown", steps: [] };
    }
    judgeEnd(order, log, fault);
    judgeOrder(order, log, entries, fault);
    const steps = STEPS.flat().map((step) => judgeStep(step, log, entries, crashes, fault));
    return { order, state: log.state, steps };
  });
  for (const { entry, runId, step } of ledger) {
    if (!orders.some((order) => order.runId === runId))
      faults.push(`ledger entry ${entry} is of an unknown run ${runId}`);
    if (step === SLEEP || !STEPS.flat().includes(step))
      faults.push(`ledger entry ${entry} is of an unknown step '${step}'`);
  }
  return { pass: faults.length === 0, faults, runs };
}

/** The run ended well, and its result is made of what was remembered. */
function judgeEnd(order, log, fault) {
  if (log.state !== "RUN_SUCCESS") return fault(`expected the state RUN_SUCCESS, found ${log.state}`);
  const charge = log.steps.find((step) => step.name === REFUSED_STEP);
  const expected = { orderId: order.orderId, receipt: `receipt-${charge?.out?.entry}`, shipped: true };
  if (!isDeepStrictEqual(log.result, expected)) {
    fault(`expected the result ${JSON.stringify(expected)}, found ${JSON.stringify(log.result)}`);
  }
}

/** Each step was executed by the rule, and is remembered once. */
function judgeStep(name, log, entries, crashes, fault) {
  const remembered = log.steps.filter((step) => step.name === name);
  if (remembered.length !== 1) fault(`${name}: expected one remembered result, found ${remembered.length}`);
  if (name === SLEEP) return { step: name, executed: 0, refused: 0, remembered: remembered.length > 0, again: 0 };

  const executions = entries.filter((entry) => entry.step === name);
  const successes = executions.filter((entry) => entry.status === 200);
  const refused = executions.length - successes.length;
  const refusals = name === REFUSED_STEP ? REFUSALS : 0;
  if (refused !== refusals) fault(`${name}: expected ${refusals} refused executions, found ${refused}`);
  if (successes.length === 0) fault(`${name}: expected an execution, the ledger has none`);
  if (successes.length > 1 + crashes) {
    fault(`${name}: executed ${successes.length} times, more often than ${crashes} crashes explain`);
  }

  const [step] = remembered;
  let again = 0;
  if (step !== undefined) {
    if (!successes.some((entry) => entry.entry === step.out?.entry)) {
      fault(`${name}: the remembered result ${JSON.stringify(step.out)} is of no execution in the ledger`);
    }
    for (const entry of executions) {
      if (entry.at <= step.acceptedAt || isOverlapped(entry, step, log)) continue;
      again += 1;
      const late = entry.at - step.acceptedAt;
      fault(`${name}: executed again (ledger entry ${entry.entry}), ${late} ms after its result was accepted`);
    }
  }
  return { step: name, executed: successes.length, refused, remembered: remembered.length > 0, again };
}

/** Whether another delivery than the one that submitted the result began before the acceptance and saw the execution. */
function isOverlapped(entry, step, log) {
  const open = log.deliveries.filter(
    ({ beganAt, endedAt }) => beganAt <= step.acceptedAt && (endedAt === undefined || endedAt >= entry.at),
  );
  return open.some((delivery, i) => open.some((other, j) => i !== j && other.messageId === delivery.messageId));
}

/** No step began before what precedes it was remembered, and the sleep was slept. */
function judgeOrder(order, log, entries, fault) {
  const slept = log.steps.filter(({ name }) => name === SLEEP);
  const beginnings = [
    ...entries.map(({ step, at, entry }) => ({ step, at, source: ` (ledger entry ${entry})` })),
    ...slept.map(({ name, acceptedAt }) => ({ step: name, at: acceptedAt, source: "" })),
  ];
  STEPS.slice(1).forEach((group, i) => {
    const before = log.steps.filter(({ name }) => STEPS[i].includes(name));
    const sleepMs = (name) => (name === SLEEP ? order.sleepSeconds * 1000 : 0);
    const readyAt = Math.max(...before.map(({ name, acceptedAt }) => acceptedAt + sleepMs(name)));
    for (const { step, at, source } of beginnings.filter(({ step }) => group.includes(step))) {
      if (at < readyAt) fault(`${step}: began${source} before '${STEPS[i].join("' and '")}' had ended`);
    }
  });
  for (const { name } of log.steps) {
    if (!STEPS.flat().includes(name)) fault(`the log has a step '${name}' that the workflow does not have`);
  }
}
