/**
 * Builders for the requests a workflow endpoint receives from QStash.
 *
 * Every builder returns a delivery: `{ url, method, headers, body }`, plus
 * `answers` (see `recorder.mjs`) when QStash shall answer unusually.
 */
import { createHash, createHmac } from "node:crypto";

export const WORKFLOW_URL = "https://app.test/api/order";
export const RUN_ID = "wfr_given";
export const CURRENT_KEY = "sig_current_key_of_the_tests";
export const NEXT_KEY = "sig_next_key_of_the_tests";

/** A request by somebody who wants to start a run: no protocol version yet. */
export function trigger(body, { headers = {}, ...rest } = {}) {
  return {
    url: WORKFLOW_URL,
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
    ...rest,
  };
}

/**
 * The delivery of a run's latest message, with the history inline.
 * @param {object[]} steps step records after the initial one, oldest first
 */
export function resume(steps = [], { payload = '{"orderId":42}', ...rest } = {}) {
  const history = historyOf(steps, payload);
  return delivered(JSON.stringify(history), { messageId: history.at(-1).messageId, ...rest });
}

/** A delivery without a body: the endpoint has to fetch the history. */
export function lazy({ messageId, runs, ...rest }) {
  return delivered("", { messageId, answers: { runs }, ...rest });
}

/** The headers QStash puts on a message of a run, around the given body. A header set to `undefined` is left out. */
export function delivered(body, { runId = RUN_ID, messageId = "msg_0", headers = {}, ...rest } = {}) {
  const all = {
    "content-type": "application/json",
    "user-agent": "Upstash-QStash",
    "upstash-message-id": messageId,
    "upstash-retried": "0",
    "upstash-workflow-init": "false",
    "upstash-workflow-runid": runId,
    "upstash-workflow-url": WORKFLOW_URL,
    "upstash-workflow-createdat": "1700000000000",
    "upstash-workflow-sdk-version": "1",
    ...headers,
  };
  return {
    url: WORKFLOW_URL,
    method: "POST",
    headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
    body,
    ...rest,
  };
}

/** The callback of a `context.call`: what the third party answered, for the step that the headers name. */
export function callback(answer = {}, { headers = {}, ...rest } = {}) {
  const body = JSON.stringify({
    status: 200,
    header: { "Content-Type": ["application/json"] },
    body: base64('{"rate":1.5}'),
    retried: 0,
    maxRetries: 0,
    sourceMessageId: "msg_source",
    url: "https://third.test/rates",
    method: "GET",
    ...answer,
  });
  return delivered(body, {
    headers: {
      "upstash-workflow-sdk-version": undefined,
      "upstash-workflow-calltype": "fromCallback",
      "upstash-workflow-callback": "true",
      "upstash-workflow-stepid": "1",
      "upstash-workflow-stepname": "rates",
      "upstash-workflow-steptype": "Call",
      "upstash-workflow-concurrent": "1",
      "upstash-workflow-contenttype": "application/json",
      ...headers,
    },
    ...rest,
  });
}

/** The failure callback of a run whose retries are exhausted. */
export function failureCallback(failure = {}, { headers = {}, ...rest } = {}) {
  const body = JSON.stringify({
    status: 500,
    header: { "Content-Type": ["application/json"] },
    body: base64(JSON.stringify({ error: "Error", message: "the card was refused", stack: "Error: at charge" })),
    retried: 3,
    maxRetries: 3,
    dlqId: "1725323658779-0",
    sourceMessageId: "msg_source",
    url: WORKFLOW_URL,
    method: "POST",
    sourceHeader: {},
    sourceBody: base64('{"orderId":42}'),
    workflowRunId: RUN_ID,
    workflowCreatedAt: 1700000000000,
    ...failure,
  });
  return delivered(body, {
    headers: {
      "upstash-workflow-sdk-version": undefined,
      "upstash-workflow-is-failure": "true",
      "upstash-workflow-failure-callback": "true",
      "upstash-workflow-calltype": "failureCall",
      ...headers,
    },
    ...rest,
  });
}

/** The history as QStash sends it: the payload, then one entry a step. Message ids are `msg_h0`, `msg_h1`, … */
export function historyOf(steps, payload = '{"orderId":42}') {
  return [entry(payload, 0), ...steps.map((step, index) => entry(JSON.stringify(step), index + 1))];
}

const entry = (body, index) => ({ messageId: `msg_h${index}`, body: base64(body), callType: "step" });

export const base64 = (text) => Buffer.from(text, "utf8").toString("base64");

/** A recorded result. Without `result` the record has no `out`, which is how `undefined` travels. */
export function ran(stepId, stepName, ...result) {
  return {
    stepId,
    stepName,
    stepType: "Run",
    ...(result.length > 0 ? { out: JSON.stringify(result[0]) } : {}),
    concurrent: 1,
  };
}

export const slept = (stepId, stepName, sleepFor) => ({
  stepId,
  stepName,
  stepType: "SleepFor",
  sleepFor,
  concurrent: 1,
});

export const sleptUntil = (stepId, stepName, sleepUntil) => ({
  stepId,
  stepName,
  stepType: "SleepUntil",
  sleepUntil,
  concurrent: 1,
});

/** A recorded result of any kind; `out` is the text that travels. */
export const done = (stepId, stepName, stepType, out, extra = {}) => ({
  stepId,
  stepName,
  stepType,
  ...(out === undefined ? {} : { out }),
  concurrent: 1,
  ...extra,
});

/** The recorded answer to a call. */
export const called = (stepId, stepName, answer) =>
  done(stepId, stepName, "Call", JSON.stringify({ status: 200, body: "", header: {}, ...answer }));

/** The same record as a member of a parallel group of `concurrent` steps. */
export const within = (concurrent, step) => ({ ...step, concurrent });

/** A plan step; `extra` holds `sleepFor` or `sleepUntil`. */
export const planned = (targetStep, stepName, concurrent, { stepType = "Run", ...extra } = {}) => ({
  stepId: 0,
  stepName,
  stepType,
  ...extra,
  concurrent,
  targetStep,
});

/** The delivery with a signature. `claims` override the right ones; `key` is the signing key. */
export function signed(delivery, { key = CURRENT_KEY, claims = {}, header = { alg: "HS256", typ: "JWT" } } = {}) {
  const payload = {
    iss: "Upstash",
    sub: delivery.url,
    exp: 4102444800,
    nbf: 0,
    iat: 1700000000,
    jti: "jwt_of_the_tests",
    body: createHash("sha256")
      .update(delivery.body ?? "")
      .digest("base64url"),
    ...claims,
  };
  const signedPart = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  const mac = createHmac("sha256", key).update(signedPart).digest("base64url");
  return { ...delivery, headers: { ...delivery.headers, "upstash-signature": `${signedPart}.${mac}` } };
}
