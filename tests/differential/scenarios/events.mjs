import { base64, done, planned, resume, trigger, within } from "../delivery.mjs";

const waiting =
  (eventId, options) =>
  ({ trace }) =>
  async (context) => {
    trace(await context.waitForEvent("payment", eventId, options));
    await context.run("end", () => {});
  };

const wait = (name, eventId, options, delivery = resume()) => ({
  name: `wait: ${name}`,
  route: waiting(eventId, options),
  deliveries: [delivery],
});

const came = (name, out, extra) => ({
  name: `wait ended: ${name}`,
  route: waiting("paid"),
  deliveries: [resume([done(1, "payment", "Wait", out, { waitEventId: "paid", timeout: "7d", ...extra })])],
});

const notifying =
  (...args) =>
  ({ trace }) =>
  async (context) => {
    trace(await context.notify("tell", ...args));
    await context.run("end", () => {});
  };

const notify = (name, args, delivery = resume()) => ({
  name: `notify: ${name}`,
  route: notifying(...args),
  deliveries: [delivery],
});

const told = (name, out) => ({
  name: `notified: ${name}`,
  route: notifying("paid", "x"),
  deliveries: [resume([done(1, "tell", "Notify", out)])],
});

const IDS = { slash: "a/b", query: "a?b=1", fragment: "a#b", blank: "a b", "beyond ASCII": "é☃" };
const waiter = { waiter: { url: "https://app.test", deadline: 1 }, messageId: "msg_n", error: "" };

export default [
  wait("first invocation", "paid", undefined, trigger("{}")),
  wait("default timeout", "paid"),
  ...[30, 1.5, 0, "10s", "1d"].map((timeout) => wait(`timeout ${timeout}`, "paid", { timeout })),
  ...Object.entries(IDS).map(([name, id]) => wait(`event id with ${name}`, id)),
  wait("empty event id", ""),
  wait("nested by invoke", "paid", undefined, resume([], { headers: { "upstash-workflow-invoke-count": "2" } })),
  {
    ...wait("headers of the client", "paid"),
    options: () => ({ qstashClient: { headers: { "x-bypass": "secret" } } }),
  },
  ...[400, 412, 500].map((status) =>
    wait(
      `QStash answers ${status}`,
      "paid",
      undefined,
      resume([], { answers: { wait: { status, body: { error: "told by QStash" } } } }),
    ),
  ),
  came("object", base64('{"amount":3}')),
  came("text", base64("paid")),
  came("number", base64("5")),
  came("beyond ASCII", base64('"é☃"')),
  came("empty data", ""),
  came("no data", undefined),
  came("timeout", undefined, { waitTimeout: true }),
  came("data that are no text", Buffer.from([255, 254]).toString("base64")),
  came("data that are not base64", "*"),

  notify("first invocation", ["paid", "x"], trigger("{}")),
  ...Object.entries({
    text: "x",
    "json text": '{"a":1}',
    object: { a: 1 },
    number: 5,
    null: null,
    false: false,
    "empty text": "",
    array: [1, "2"],
    "beyond ASCII": "é☃",
  }).map(([name, data]) => notify(name, ["paid", data])),
  notify("no data", ["paid"]),
  notify("to one run", ["paid", { a: 1 }, "wfr_other"]),
  ...Object.entries(IDS).map(([name, id]) => notify(`event id with ${name}`, [id, "x"])),
  notify("event id with slash, to one run", ["a/b", "x", "wfr_other"]),
  notify("empty event id", ["", "x"]),
  notify("empty run id", ["paid", "x", ""]),
  notify(
    "several waiters",
    ["paid", "x"],
    resume([], { answers: { notify: { body: [waiter, { ...waiter, error: "gone" }] } } }),
  ),
  {
    ...notify("headers of the client", ["paid", "x"]),
    options: () => ({ qstashClient: { headers: { "x-bypass": "secret" } } }),
  },
  ...[400, 412, 500].map((status) =>
    notify(
      `QStash answers ${status}`,
      ["paid", "x"],
      resume([], { answers: { notify: { status, body: { error: "told by QStash" } } } }),
    ),
  ),
  told("object", JSON.stringify({ eventId: "paid", eventData: { a: 1 }, notifyResponse: [] })),
  told("json text", JSON.stringify({ eventId: "paid", eventData: '{"a":1}', notifyResponse: [waiter] })),
  told("text", JSON.stringify({ eventId: "paid", eventData: "x", notifyResponse: [] })),
  told("no data", JSON.stringify({ eventId: "paid", notifyResponse: [] })),
  told("without out", undefined),
  {
    name: "wait and notify in parallel",
    route:
      ({ trace }) =>
      async (context) =>
        trace(
          await Promise.all([
            context.waitForEvent("payment", "paid", { timeout: 60 }),
            context.notify("tell", "asked", 1),
          ]),
        ),
    deliveries: [
      resume(),
      resume([planned(1, "payment", 2, { stepType: "Wait", waitEventId: "paid", timeout: "60s" })]),
      resume([
        planned(1, "payment", 2, { stepType: "Wait", waitEventId: "paid", timeout: "60s" }),
        planned(2, "tell", 2, { stepType: "Notify" }),
      ]),
      resume([
        planned(1, "payment", 2, { stepType: "Wait", waitEventId: "paid", timeout: "60s" }),
        planned(2, "tell", 2, { stepType: "Notify" }),
        within(2, done(2, "tell", "Notify", '{"eventId":"asked","eventData":1,"notifyResponse":[]}')),
        within(2, done(1, "payment", "Wait", base64("1"), { waitEventId: "paid", timeout: "60s" })),
      ]),
    ],
  },
];
