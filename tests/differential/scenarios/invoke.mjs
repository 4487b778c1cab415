import { done, planned, resume, trigger, WORKFLOW_URL, within } from "../delivery.mjs";

const ship = { workflowId: "ship", routeFunction: async () => {}, options: {} };

const asking =
  (settings) =>
  ({ trace }) =>
  async (context) => {
    trace(await context.invoke("delivery", settings));
    await context.run("end", () => {});
  };

const sent = (name, settings, deliveries = [resume()]) => ({
  name: `invoke: ${name}`,
  route: asking(settings),
  deliveries,
});
const ended = (name, out) => ({
  name: `invoke ended: ${name}`,
  route: asking({ workflow: ship, body: {} }),
  deliveries: [resume([done(1, "delivery", "Invoke", out)])],
});
const at = (url) => [{ ...resume(), url }];

export default [
  sent("first invocation", { workflow: ship, body: { orderId: 1 } }, [trigger("{}")]),
  sent("object", { workflow: ship, body: { orderId: 1 } }),
  sent("text", { workflow: ship, body: "text" }),
  sent("number", { workflow: ship, body: 5 }),
  sent("null", { workflow: ship, body: null }),
  sent("no body", { workflow: ship }),
  sent("every option", {
    workflow: ship,
    body: { orderId: 1 },
    headers: { "X-Trace": "t", Authorization: "Bearer x" },
    workflowRunId: "own",
    retries: 5,
    retryDelay: "1000 * (1 + retried)",
    flowControl: { key: "ship", parallelism: 1, rate: 2, period: 3 },
    label: "nightly",
  }),
  sent("several labels", { workflow: ship, body: 1, label: ["a", "b"] }),
  ...[0, 3].map((retries) => sent(`retries ${retries}`, { workflow: ship, body: 1, retries })),
  sent("empty retry delay", { workflow: ship, body: 1, retryDelay: "" }),
  sent("content type", { workflow: ship, body: "<a/>", headers: { "Content-Type": "application/xml" } }),
  sent("json content", {
    workflow: { ...ship, useJSONContent: true },
    body: 1,
    headers: { "Content-Type": "application/xml" },
  }),
  sent("bad label", { workflow: ship, body: 1, label: "a b" }),
  sent("no labels", { workflow: ship, body: 1, label: [] }),
  sent("bad flow control key", { workflow: ship, body: 1, flowControl: { key: "a/b", rate: 1 } }),
  sent("workflow without an id", { workflow: { ...ship, workflowId: undefined }, body: 1 }),
  sent("from a nested run", { workflow: ship, body: 1 }, [
    resume([], { headers: { "upstash-workflow-invoke-count": "4" } }),
  ]),
  sent("without the time of creation", { workflow: ship, body: 1 }, [
    resume([], { headers: { "upstash-workflow-createdat": undefined } }),
  ]),
  sent("from a url with a query", { workflow: ship, body: 1 }, at(`${WORKFLOW_URL}?x=1`)),
  sent("from a url that ends with a slash", { workflow: ship, body: 1 }, at(`${WORKFLOW_URL}/`)),
  sent("from the root", { workflow: ship, body: 1 }, at("https://app.test/")),
  {
    ...sent("headers of the client", { workflow: ship, body: 1, headers: { "x-own": "1" } }),
    options: () => ({ qstashClient: { headers: { "x-bypass": "secret" } } }),
  },
  ...[400, 412, 500].map((status) =>
    sent(`QStash answers ${status}`, { workflow: ship, body: 1 }, [
      resume([], { answers: { publish: { status, body: { error: "told by QStash" } } } }),
    ]),
  ),
  ended("json", JSON.stringify({ body: '{"shipped":true}', isFailed: false, isCanceled: false })),
  ended("text", JSON.stringify({ body: "shipped", isFailed: false, isCanceled: false })),
  ended("nothing", JSON.stringify({ body: "", isFailed: false, isCanceled: false })),
  ended("no body", JSON.stringify({ isFailed: false, isCanceled: false })),
  ended("failed", JSON.stringify({ body: '{"error":"x"}', isFailed: true, isCanceled: false })),
  ended("cancelled", JSON.stringify({ body: "", isFailed: false, isCanceled: true })),
  ended("object as body", JSON.stringify({ body: { a: 1 } })),
  ended("without out", undefined),
  {
    name: "invocations in parallel",
    route:
      ({ trace }) =>
      async (context) =>
        trace(
          await Promise.all([
            context.invoke("one", { workflow: ship, body: 1 }),
            context.invoke("two", { workflow: { ...ship, workflowId: "bill" }, body: 2, workflowRunId: "own" }),
          ]),
        ),
    deliveries: [
      resume(),
      resume([planned(1, "one", 2, { stepType: "Invoke" })]),
      resume([planned(1, "one", 2, { stepType: "Invoke" }), planned(2, "two", 2, { stepType: "Invoke" })]),
      resume([
        planned(1, "one", 2, { stepType: "Invoke" }),
        planned(2, "two", 2, { stepType: "Invoke" }),
        within(2, done(1, "one", "Invoke", '{"body":"1"}')),
        within(2, done(2, "two", "Invoke", '{"body":"2"}')),
      ]),
    ],
  },
];
