import { base64, callback, delivered, RUN_ID } from "../delivery.mjs";

const route =
  ({ trace }) =>
  async (context) => {
    await context.call("rates", { url: "https://third.test/rates" });
    await context.run("end", () => trace("end runs"));
  };

const brought = (name, answer, options) => ({
  name: `callback: ${name}`,
  route,
  deliveries: [callback(answer, options)],
});
const headers = (headers) => ({ headers });
const lacking = (name) => brought(`without ${name}`, {}, headers({ [name]: undefined }));

const bodyOf = (answer) => callback(answer).body;
/** A callback without a body: the answer has to be fetched. */
const empty = (runs, answers = { runs: { [RUN_ID]: runs } }) =>
  delivered("", { ...callback(), headers: callback().headers, messageId: "msg_c", body: "", answers });

export default [
  brought("200"),
  brought("204 without a body", { status: 204, body: undefined, header: {} }),
  brought("empty body", { body: "" }),
  brought("bytes", { body: Buffer.from([0, 255, 128, 10]).toString("base64") }),
  brought("beyond ASCII", { body: base64("é ☃") }),
  brought("no header", { header: undefined }),
  brought("several headers", { header: { "X-B": ["1", "2"], "X-A": ["3"] } }),
  brought("failure, retries left", { status: 500, retried: 1, maxRetries: 3 }),
  brought("failure, the first of several tries", { status: 500, retried: undefined, maxRetries: 3 }),
  brought("failure, the last try", { status: 500, retried: 3, maxRetries: 3 }),
  brought("failure, no retries", { status: 404, maxRetries: 0 }),
  brought("failure, retries are not told", { status: 404, maxRetries: undefined, retried: undefined }),
  brought("redirect", { status: 302 }),
  brought("no status", { status: undefined }),
  brought(
    "of a member of a group",
    {},
    headers({ "upstash-workflow-concurrent": "3", "upstash-workflow-stepid": "2" }),
  ),
  brought("of a nested run", {}, headers({ "upstash-workflow-invoke-count": "2" })),
  brought("of a name beyond ASCII", {}, headers({ "upstash-workflow-stepname": "é" })),
  brought("body that is not base64", { body: "*" }),
  ...[
    "upstash-workflow-runid",
    "upstash-workflow-stepid",
    "upstash-workflow-stepname",
    "upstash-workflow-steptype",
    "upstash-workflow-concurrent",
    "upstash-workflow-contenttype",
  ].map(lacking),
  brought("unknown type of step", {}, headers({ "upstash-workflow-steptype": "Dance" })),
  { name: "callback: no json", route, deliveries: [{ ...callback(), body: "no json" }], engineText: true },
  ...[400, 412, 500].map((status) =>
    brought(`QStash answers ${status}`, {}, { answers: { publish: { status, body: { error: "told by QStash" } } } }),
  ),
  {
    name: "callback: empty, to be fetched",
    route,
    deliveries: [
      empty([
        { messageId: "msg_0", body: base64("{}"), callType: "step" },
        { messageId: "msg_c", body: base64(bodyOf()), callType: "fromCallback" },
      ]),
    ],
  },
  {
    name: "callback: empty, not in the history",
    route,
    deliveries: [
      empty([
        { messageId: "msg_0", body: base64("{}"), callType: "step" },
        { messageId: "msg_other", body: base64(bodyOf()), callType: "fromCallback" },
      ]),
    ],
  },
  { name: "callback: empty, the run has ended", route, deliveries: [empty(undefined, {})] },
  {
    name: "callback: the client's own headers",
    route,
    options: () => ({ qstashClient: { headers: { "x-bypass": "secret" } } }),
    deliveries: [callback()],
  },
  {
    name: "callback: another url",
    route,
    options: () => ({ url: "https://public.test/flow" }),
    deliveries: [callback()],
  },
];
