/** Runs steps durably: a real broker whose clock the test turns, and an endpoint that it delivers to. */
import assert from "node:assert/strict";

import { Client, serve } from "@repo/orchestration/workflows";

import { embedded, server } from "../node-host/support.mjs";

const MOST_SECONDS = 4 * 3600;

/** A broker with a clock that stands still until it is turned. */
export async function durable(t) {
  let now = Date.now();
  const on = await embedded(t, { now: () => now });
  const client = new Client({ baseUrl: on.url, token: on.token });
  const env = { QSTASH_URL: on.url, QSTASH_TOKEN: on.token };
  const logOf = async (runId) => (await on.json(`/v2/workflows/logs?workflowRunId=${runId}`)).runs[0];

  /** Runs a workflow's function to its end. `jump`: the seconds by which the clock is turned when nothing is due. */
  async function run(route, { input = null, jump = 1, retries = 0, options = {} } = {}) {
    const { handler } = serve(route, { env, retries, ...options });
    const { url, requests } = await server(t, async ({ method, url: path, headers, body }) => {
      const request = new Request(`http://${headers.host}${path}`, { method, headers, body });
      const response = await handler(request);
      return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() };
    });
    const address = `${url}/api/sample`;
    const { workflowRunId } = await client.trigger({ url: address, body: input, retries });
    for (let seconds = 0; seconds <= MOST_SECONDS; seconds += jump) {
      await on.broker.idle();
      const log = await logOf(workflowRunId);
      if (log && log.workflowState !== "RUN_STARTED") return ended(log, { seconds, requests, workflowRunId });
      now += jump * 1000;
      on.broker.wake();
    }
    assert.fail(`the run has not ended after ${MOST_SECONDS} s`);
  }

  return {
    ...on,
    run,
    /** Runs a step as the only one of a workflow. */
    perform: (step, input, rest = {}) =>
      run((context) => step.run(context, context.requestPayload), { input, ...rest }),
  };
}

function ended(log, { seconds, requests, workflowRunId }) {
  const response = log.workflowRunResponse;
  const steps = log.steps.flatMap((group) => group.steps).map(({ stepName }) => stepName);
  return {
    workflowRunId,
    state: log.workflowState,
    result: log.workflowState === "RUN_SUCCESS" && response ? JSON.parse(response) : undefined,
    failure: log.workflowState === "RUN_FAILED" ? log.failureFunction : undefined,
    /** Names of the history. */
    steps,
    /** How far the clock was turned. */
    seconds,
    /** Deliveries to the endpoint. */
    deliveries: requests.length,
    log,
  };
}

/** Fails so many times, and counts. */
export function flaky(failures, make = (attempt) => new Error(`failure ${attempt}`)) {
  const work = Object.assign(
    (input, tools) => {
      work.calls += 1;
      work.attempts.push(tools?.attempt);
      if (work.calls <= failures) throw make(work.calls);
      return { input, calls: work.calls };
    },
    { calls: 0, attempts: [] },
  );
  return work;
}

/** Opens at the first failure. */
export const breaker = () => ({
  open: false,
  seen: 0,
  async execute(work) {
    if (this.open) throw Object.assign(new Error("open"), { code: "CircuitOpen", retryable: true });
    this.seen += 1;
    try {
      return await work();
    } catch (error) {
      this.open = true;
      throw error;
    }
  },
});
