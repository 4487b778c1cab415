/** Plays QStash in virtual time: delivers what an endpoint sends until nothing is due, and tells how the run ended. */
import { base64, delivered, WORKFLOW_URL } from "../differential/delivery.mjs";

const MOST_DELIVERIES = 100;
const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * Starts a run and plays it to its end.
 *
 * @param {{ handler: (request: Request) => Promise<Response> }} served
 * @param {import("../differential/recorder.mjs").Recorder} recorder
 * @param {{ payload?: string, retries?: number, third?: (item: object) => object, from?: object[], most?: number }} [options]
 *   `third` gives the answers of third parties, `from` the history to go on from, `most` the deliveries to stop after.
 * @returns {Promise<{ end?: string, result?: unknown, answers: [number, object][], history: object[], seconds: number,
 *   sent: object[] }>}
 *   `end` is `success`, `cancelled`, `failed` or, if nothing is due any more, undefined; `sent` is what the last delivery caused
 */
export async function play(served, recorder, options = {}) {
  const { payload = "{}", retries = 3, third = () => ({}), from = [], most = MOST_DELIVERIES } = options;
  const history = [{ messageId: "msg_0", body: base64(payload), callType: "step" }, ...from];
  const run = { answers: [], history, seconds: 0 };
  const queue = [];
  const push = (delivery, delay = 0) => {
    queue.push({ ...delivery, due: run.seconds + delay, order: queue.length + run.answers.length });
  };
  const record = (body) => {
    const messageId = `msg_${history.length}`;
    history.push({ messageId, body: base64(body), callType: "step" });
    return delivered(JSON.stringify(history), { messageId });
  };
  const send = ({ destination, headers, body = "" }) => {
    if (destination === WORKFLOW_URL) push(record(body), secondsOf(headers["upstash-delay"]));
    else push(callbackOf(headers, third({ destination, headers, body })));
  };

  push(delivered(JSON.stringify(history), { messageId: history.at(-1).messageId }));
  while (queue.length > 0 && run.end === undefined) {
    if (run.answers.length >= most) return run;
    if (run.answers.length >= MOST_DELIVERIES) throw new Error(`no end after ${MOST_DELIVERIES} deliveries`);
    queue.sort((a, b) => a.due - b.due || a.order - b.order);
    const { due, order: _, tried = 0, ...delivery } = queue.shift();
    run.seconds = due;
    const { url, method, headers, body } = delivery;
    recorder.reset();
    const response = await served.handler(
      new Request(url, { method, headers: { ...headers, "upstash-retried": String(tried) }, body }),
    );
    run.answers.push([response.status, await response.json()]);
    run.sent = recorder.take();
    for (const request of run.sent) {
      if (request.path === "/v2/batch") for (const item of JSON.parse(request.body)) send(item);
      if (request.path.startsWith("/v2/publish/")) push(record(request.body));
      if (request.method === "DELETE") {
        run.end = request.path.endsWith("cancel=true") ? "cancelled" : "success";
        run.result = request.body ? JSON.parse(request.body) : undefined;
      }
    }
    if (response.status === 489 || (response.status !== 200 && tried >= retries)) run.end = "failed";
    else if (response.status !== 200) push({ ...delivery, tried: tried + 1 }, 12);
  }
  return run;
}

/** The steps of a history: name, and the result as JSON or a word for what it is. */
export const stepsOf = (run) =>
  run.history.slice(1).map(({ body }) => {
    const { stepName, targetStep, stepType, out } = JSON.parse(Buffer.from(body, "base64").toString("utf8"));
    if (targetStep) return `plan ${stepName}`;
    return stepType === "SleepFor" && out ? `${stepName} failed` : stepName;
  });

/** The callback that brings a third party's answer. */
function callbackOf(headers, { status = 200, header = {}, body = "" }) {
  const prefix = "upstash-callback-forward-";
  const forwarded = Object.entries(headers).filter(([name]) => name.startsWith(prefix));
  return delivered(JSON.stringify({ status, header, body: base64(body), retried: 0, maxRetries: 0 }), {
    headers: {
      "upstash-workflow-sdk-version": undefined,
      ...Object.fromEntries(forwarded.map(([name, value]) => [name.slice(prefix.length), value])),
    },
  });
}

function secondsOf(duration) {
  const [, number, unit] = /^(\d+)([smhd])$/.exec(duration ?? "0s");
  return Number(number) * SECONDS[unit];
}
