import { called, planned, ran, resume, trigger, within } from "../delivery.mjs";

const URL = "https://third.test/rates?day=1#top";

const asking =
  (settings, name = "rates") =>
  ({ trace }) =>
  async (context) => {
    trace(await context.call(name, typeof settings === "function" ? settings(context) : settings));
    await context.run("end", () => {});
  };

const sent = (name, settings, ...rest) => ({
  name: `call: ${name}`,
  route: asking(settings, ...rest),
  deliveries: [resume()],
});

/** An answer in the history: `body` is a text of one character per byte. */
const answered = (name, answer) => ({
  name: `call answered: ${name}`,
  route: asking({ url: URL }),
  deliveries: [resume([called(1, "rates", answer)])],
});

const header = (type, name = "Content-Type") => ({ [name]: [type] });
const latin1 = (text) => Buffer.from(text, "utf8").toString("latin1");
const sibling = { workflowId: "ship", routeFunction: async () => {}, options: {} };

export default [
  { ...sent("first invocation", { url: URL }), deliveries: [trigger("{}")] },
  sent("url only", { url: URL }),
  sent("every option", {
    url: URL,
    method: "PUT",
    body: '{"a":1}',
    headers: { "X-Trace": "t", Authorization: "Bearer x" },
    retries: 5,
    retryDelay: "1000 * (1 + retried)",
    timeout: 30,
    flowControl: { key: "third", parallelism: 2, rate: 5, period: "1m" },
  }),
  ...["GET", "POST", "PUT", "PATCH", "DELETE"].map((method) => sent(`method ${method}`, { url: URL, method })),
  ...[0, 1, 3].map((retries) => sent(`retries ${retries}`, { url: URL, retries })),
  sent("empty retry delay", { url: URL, retryDelay: "" }),
  ...[0, 1, 1.5, "10s", "1d"].map((timeout) => sent(`timeout ${timeout}`, { url: URL, timeout })),
  sent("text body", { url: URL, method: "POST", body: "plain text" }),
  sent("body beyond ASCII", { url: URL, method: "POST", body: "é ☃ 𝄞" }),
  sent("empty body", { url: URL, method: "POST", body: "" }),
  sent("body that is an object", { url: URL, method: "POST", body: { a: 1 } }),
  sent("content type of the caller", { url: URL, body: "<a/>", headers: { "Content-Type": "application/xml" } }),
  sent("content type in lower case", { url: URL, body: "<a/>", headers: { "content-type": "application/xml" } }),
  sent("header that looks like a setting", { url: URL, headers: { "Upstash-Label": "x" } }),
  sent("header beyond Latin-1", { url: URL, headers: { "X-Name": "步骤" } }),
  sent("name in Latin-1", { url: URL }, "é"),
  sent("name beyond Latin-1", { url: URL }, "步骤"),
  ...[{ parallelism: 1 }, { rate: 1 }, { rate: 1, period: 5 }, { ratePerSecond: 3 }].map((limits) =>
    sent(`flow control ${JSON.stringify(limits)}`, { url: URL, flowControl: { key: "k", ...limits } }),
  ),
  sent("flow control with a bad key", { url: URL, flowControl: { key: "a b", parallelism: 1 } }),
  sent("flow control without limits", { url: URL, flowControl: { key: "k" } }),
  {
    ...sent("nested by invoke", { url: URL }),
    deliveries: [resume([], { headers: { "upstash-workflow-invoke-count": "2" } })],
  },
  {
    ...sent("headers of the client", { url: URL, headers: { "x-own": "1" } }),
    options: () => ({ qstashClient: { headers: { "x-bypass": "secret" } } }),
  },
  sent("workflow", { workflow: sibling, body: { orderId: 1 } }),
  sent("workflow, every option", {
    workflow: sibling,
    body: "text",
    headers: { "X-Trace": "t" },
    retries: 2,
    retryDelay: "1000",
    timeout: "10s",
    flowControl: { key: "ship", rate: 1 },
    label: "unused",
  }),
  sent("workflow without a body", { workflow: sibling }),
  sent("workflow without an id", { workflow: { ...sibling, workflowId: undefined }, body: {} }),
  sent("workflow with a bad label", { workflow: sibling, body: {}, label: "a b" }),
  {
    ...sent("refused by QStash", { url: URL }),
    deliveries: [resume([], { answers: { batch: { status: 400, body: { error: "no" } } } })],
  },
  answered("json", { header: header("application/json"), body: '{"rate":1.5}' }),
  answered("json beyond ASCII", { header: header("application/json; charset=utf-8"), body: latin1('{"name":"é☃"}') }),
  answered("json that is no object", { header: header("application/json"), body: "12" }),
  answered("json that can't be read", { header: header("application/json"), body: "{" }),
  answered("text", { header: header("text/plain"), body: latin1("é ☃") }),
  answered("number as text", { header: header("text/plain"), body: "123" }),
  answered("xml", { header: header("application/xml"), body: "<a/>" }),
  answered("form", { header: header("application/x-www-form-urlencoded"), body: "a=1" }),
  answered("bytes", { header: header("application/octet-stream"), body: "\u0000\u00ff\u0080" }),
  answered("image that looks like json", { header: header("image/png"), body: "1" }),
  answered("no content type", { header: {}, body: latin1("é") }),
  answered("header in lower case", { header: header("text/plain", "content-type"), body: "t" }),
  answered("several values", { header: { "content-type": ["text/plain"], "set-cookie": ["a=1", "b=2"] }, body: "t" }),
  answered("empty", { header: header("application/json"), body: "" }),
  answered("an error", { status: 500, header: header("application/json"), body: '{"error":"no"}' }),
  {
    name: "call answered: without out",
    route: asking({ url: URL }),
    deliveries: [resume([{ ...called(1, "rates"), out: undefined }])],
  },
  {
    name: "call answered: then the next call",
    route:
      ({ trace }) =>
      async (context) => {
        const { body } = await context.call("one", { url: URL });
        trace((await context.call("two", { url: `https://third.test/${body}` })).status);
      },
    deliveries: [
      resume([called(1, "one", { header: header("text/plain"), body: "next" })]),
      resume([called(1, "one", { header: header("text/plain"), body: "next" }), called(2, "two", { status: 404 })]),
    ],
  },
  {
    name: "call after a step",
    route: asking({ url: URL }, "later"),
    deliveries: [resume([ran(1, "other", 1)])],
  },
  {
    name: "calls in parallel",
    route:
      ({ trace }) =>
      async (context) =>
        trace(
          await Promise.all([
            context.call("one", { url: URL, retries: 1 }),
            context.call("two", { url: URL, method: "POST", body: "b" }),
          ]),
        ),
    deliveries: [
      resume(),
      resume([planned(1, "one", 2, { stepType: "Call" })]),
      resume([planned(1, "one", 2, { stepType: "Call" }), planned(2, "two", 2, { stepType: "Call" })]),
      resume([
        planned(1, "one", 2, { stepType: "Call" }),
        planned(2, "two", 2, { stepType: "Call" }),
        within(2, called(2, "two", { body: "x", header: header("text/plain") })),
        within(2, called(1, "one", { status: 404 })),
      ]),
    ],
  },
];
