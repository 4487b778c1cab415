/** Prints what happens to the runs while it happens, one line an event. */
import { styleText } from "node:util";

import { SLEEP } from "./verdict.mjs";

const COLORS = { rust: "yellow", typescript: "cyan", broker: "red" };

/** Prints, in colour if the output is a terminal and `NO_COLOR` is not set. */
export class Printer {
  /** @param {NodeJS.WriteStream} stream */
  constructor(stream) {
    this.stream = stream;
    this.colored = stream.isTTY === true && !process.env.NO_COLOR;
  }

  line(text = "") {
    this.stream.write(`${text}\n`);
  }

  /** @param {import("node:util").InspectColor | import("node:util").InspectColor[]} format @param {string} text */
  style(format, text) {
    return this.colored ? styleText(format, text, { validateStream: false }) : text;
  }
}

export class Timeline {
  #told = new Set();

  /** @param {Printer} printer @param {number} startedAt  Unix time in ms */
  constructor(printer, startedAt) {
    this.printer = printer;
    this.startedAt = startedAt;
    const header = ["time", "run", "step", "attempt", "duration", "outcome"];
    printer.line(printer.style("dim", row(...header)));
  }

  /** Tells something that is not a step. */
  tell(who, text) {
    this.#line(Date.now(), who, "", "", "", text);
  }

  /**
   * Tells what is new: executions that the ledger refused, and results that the broker remembers.
   *
   * @param {import("./verdict.mjs").Order[]} orders
   * @param {(import("./log.mjs").RunLog | undefined)[]} logs
   * @param {import("./ledger.mjs").LedgerEntry[]} ledger
   */
  show(orders, logs, ledger) {
    const lines = [];
    logs.forEach((log, i) => {
      if (log === undefined) return;
      const entries = ledger.filter((entry) => entry.runId === log.runId);
      for (const line of [...refusals(entries, log), ...results(log, orders[i]), ...end(log)]) {
        lines.push({ ...line, key: `${log.runId} ${line.key}`, who: orders[i].language });
      }
    });
    lines.sort((a, b) => a.at - b.at);
    for (const { key, at, who, step, attempt, duration, outcome } of lines) {
      if (this.#told.has(key)) continue;
      this.#told.add(key);
      this.#line(at, who, step, attempt, duration, outcome);
    }
  }

  #line(at, who, step, attempt, duration, outcome) {
    const time = `${((at - this.startedAt) / 1000).toFixed(2)} s`;
    const [start, rest] = [row(time), row("", who, step, attempt, duration, outcome).slice(row(time).length)];
    this.printer.line(start + this.printer.style(COLORS[who] ?? "bold", rest));
  }
}

/** An execution that was refused is told once its delivery has ended. */
function* refusals(entries, log) {
  for (const [i, entry] of entries.filter(({ status }) => status !== 200).entries()) {
    const delivery = deliveryOf(entry, log);
    if (delivery?.endedAt === undefined) continue;
    yield {
      key: `entry ${entry.entry}`,
      at: delivery.endedAt,
      step: entry.step,
      attempt: String(i + 1),
      duration: milliseconds(delivery.endedAt - delivery.beganAt),
      outcome: `failed: the ledger answered ${entry.status}; it will be retried`,
    };
  }
}

/** A step is told once the broker remembers it. */
function* results(log, order) {
  for (const { name, out, acceptedAt, startedAt, attempts } of log.steps) {
    const sleep = name === SLEEP;
    yield {
      key: `step ${name}`,
      at: acceptedAt,
      step: name,
      attempt: sleep ? "" : String(attempts),
      duration: sleep || startedAt === undefined ? "" : milliseconds(acceptedAt - startedAt),
      outcome: sleep ? `sleeps for ${order.sleepSeconds} s` : `done, remembered as ${JSON.stringify(out)}`,
    };
  }
}

function* end(log) {
  if (log.state === "RUN_STARTED") return;
  const result = log.result === undefined ? "" : ` ${JSON.stringify(log.result)}`;
  yield { key: "end", at: log.endedAt, step: "", attempt: "", duration: "", outcome: `${log.state}${result}` };
}

/** The delivery that executed a step: the last one that began before. */
function deliveryOf(entry, log) {
  return log.deliveries.findLast((delivery) => delivery.beganAt <= entry.at);
}

function milliseconds(duration) {
  return `${Math.max(0, duration)} ms`;
}

function row(time, run = "", step = "", attempt = "", duration = "", outcome = "") {
  const cells = [time.padStart(8), run.padEnd(10), step.padEnd(20), attempt.padStart(7), duration.padStart(9), outcome];
  return cells.join("  ").trimEnd();
}
