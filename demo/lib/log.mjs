/** The broker's own log of a run, read over its public API. */

const PAGE = 1000;
const LIMIT_MS = 5_000;

/**
 * @typedef {object} RememberedStep
 * @property {string} name
 * @property {string} type        `Run`, `SleepFor`, …
 * @property {unknown} out        its result
 * @property {number} acceptedAt  when the broker accepted it, Unix time in ms
 * @property {number} [startedAt] when the delivery that submitted it began, Unix time in ms
 * @property {number} attempts    how many tries that delivery took
 *
 * @typedef {object} Delivery     one attempt to hand a message to the endpoint
 * @property {string} messageId
 * @property {number} beganAt     Unix time in ms
 * @property {number} [endedAt]   missing if the log tells no end: it is open, or the broker died
 *
 * @typedef {object} RunLog
 * @property {string} runId
 * @property {string} state       `RUN_STARTED`, `RUN_SUCCESS`, …
 * @property {unknown} result     what the workflow returned
 * @property {number} [endedAt]   Unix time in ms
 * @property {RememberedStep[]} steps  in the order of acceptance
 * @property {Delivery[]} deliveries   oldest first
 */

export class BrokerLog {
  /** @param {{ url: string, token: string }} broker */
  constructor({ url, token }) {
    this.url = url;
    this.token = token;
  }

  /**
   * The log of a run, without its deliveries; `undefined` if the broker does not know the run.
   *
   * @param {string} runId
   * @returns {Promise<RunLog | undefined>}
   */
  async run(runId) {
    const { runs } = await this.#get("/v2/workflows/logs", { workflowRunId: runId });
    const run = runs.find((candidate) => candidate.workflowRunId === runId);
    return run && readRun(run);
  }

  /**
   * The log of a run with its deliveries.
   *
   * @param {string} runId
   */
  async runWithDeliveries(runId) {
    const run = await this.run(runId);
    if (run === undefined) return undefined;
    return { ...run, deliveries: readDeliveries(await this.#events(runId)) };
  }

  /** What happened to the messages of a run, oldest first. */
  async #events(workflowRunId) {
    const events = [];
    let cursor;
    do {
      const page = await this.#get("/v2/logs", { workflowRunId, count: PAGE, ...(cursor && { cursor }) });
      events.push(...page.logs);
      cursor = page.cursor;
    } while (cursor);
    return events.reverse();
  }

  async #get(path, query) {
    const response = await fetch(`${this.url}${path}?${new URLSearchParams(query)}`, {
      headers: { authorization: `Bearer ${this.token}` },
      signal: AbortSignal.timeout(LIMIT_MS),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`GET ${path}: the broker answered ${response.status}: ${text}`);
    return JSON.parse(text);
  }
}

/** Keeps what the broker remembers: the payload, the plans and the step in progress are not results. */
function readRun(run) {
  const steps = run.steps
    .filter((group) => group.type !== "next")
    .flatMap((group) => group.steps)
    .filter((step) => step.stepType !== "Initial" && step.createdAt !== undefined && isResult(step))
    .map((step) => ({
      name: step.stepName,
      type: step.stepType,
      out: parsed(step.out),
      acceptedAt: step.createdAt,
      startedAt: step.startedAt,
      attempts: (step.retries ?? 0) + 1,
    }))
    .sort((a, b) => a.acceptedAt - b.acceptedAt);
  return {
    runId: run.workflowRunId,
    state: run.workflowState,
    result: parsed(run.workflowRunResponse),
    endedAt: run.workflowRunCompletedAt,
    steps,
    deliveries: [],
  };
}

/** A sleep is remembered once its message is accepted; any other step once it has a result. */
function isResult(step) {
  return step.out !== undefined || step.stepType === "SleepFor" || step.stepType === "SleepUntil";
}

function readDeliveries(events) {
  const deliveries = [];
  for (const { messageId, state, time } of events) {
    if (state === "ACTIVE") {
      deliveries.push({ messageId, beganAt: time });
    } else if (["DELIVERED", "ERROR", "RETRY", "FAILED", "CANCELLED"].includes(state)) {
      const open = deliveries.findLast((delivery) => delivery.messageId === messageId);
      if (open !== undefined) open.endedAt ??= time;
    }
  }
  return deliveries;
}

function parsed(text) {
  if (typeof text !== "string") return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
