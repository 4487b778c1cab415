// Every check, about in the order of the API.

import access from "./access.mjs";
import batch from "./batch.mjs";
import callbacks from "./callbacks.mjs";
import deadLetters from "./dead-letters.mjs";
import deduplication from "./deduplication.mjs";
import delivery from "./delivery.mjs";
import events from "./events.mjs";
import failedRuns from "./failed-runs.mjs";
import flowControl from "./flow-control.mjs";
import invalid from "./invalid.mjs";
import keys from "./keys.mjs";
import logs from "./logs.mjs";
import messages from "./messages.mjs";
import publish from "./publish.mjs";
import queues from "./queues.mjs";
import redaction from "./redaction.mjs";
import runs from "./runs.mjs";
import schedules from "./schedules.mjs";
import steps from "./steps.mjs";
import trigger from "./trigger.mjs";
import urlGroups from "./url-groups.mjs";

/**
 * @typedef {object} Check
 * @property {string} name
 * @property {boolean} [alone]  needs a broker of its own
 * @property {(on: ReturnType<typeof import("../fixture.mjs").fixture>) => Promise<void>} run
 */

const groups = {
  // First, for one of them waits for the next minute.
  schedules,
  access,
  publish,
  delivery,
  callbacks,
  deduplication,
  batch,
  messages,
  queues,
  "URL groups": urlGroups,
  "dead letters": deadLetters,
  "flow control": flowControl,
  keys,
  logs,
  redaction,
  "invalid requests": invalid,
  trigger,
  runs,
  steps,
  events,
  "failed runs": failedRuns,
};

/** @type {Check[]} */
export const checks = Object.entries(groups).flatMap(([group, entries]) =>
  Object.entries(entries).map(([name, check]) => ({
    name: `${group}: ${name}`,
    ...(typeof check === "function" ? { run: check } : check),
  })),
);
