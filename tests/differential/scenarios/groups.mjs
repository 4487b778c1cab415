import { base64, called, done, planned, ran, resume, slept, trigger, within } from "../delivery.mjs";

const token = Buffer.from(JSON.stringify({ UserID: "user-1" })).toString("base64");
const WEBHOOK = { webhookUrl: "http://qstash.test/hook", eventId: "evt_w" };
const ship = { workflowId: "ship", routeFunction: async () => {}, options: {} };

/** One member of every kind: how it is asked for, what its plan adds, its result. */
const KINDS = {
  Run: [(context) => context.run("Run", () => 1), {}, () => ran(0, "Run", 1)],
  SleepFor: [(context) => context.sleep("SleepFor", 5), { sleepFor: 5 }, () => slept(0, "SleepFor", 5)],
  Call: [
    (context) => context.call("Call", { url: "https://third.test" }),
    {},
    () => called(0, "Call", { status: 204 }),
  ],
  Wait: [
    (context) => context.waitForEvent("Wait", "paid", { timeout: "1h" }),
    { waitEventId: "paid", timeout: "1h" },
    () => done(0, "Wait", "Wait", base64("5"), { waitEventId: "paid", timeout: "1h" }),
  ],
  Notify: [
    (context) => context.notify("Notify", "paid", 1),
    {},
    () => done(0, "Notify", "Notify", '{"eventId":"paid","eventData":1,"notifyResponse":[]}'),
  ],
  Invoke: [
    (context) => context.invoke("Invoke", { workflow: ship, body: 1, workflowRunId: "own" }),
    {},
    () => done(0, "Invoke", "Invoke", '{"body":"1","isFailed":false}'),
  ],
  CreateWebhook: [
    (context) => context.createWebhook("CreateWebhook"),
    {},
    () => done(0, "CreateWebhook", "CreateWebhook", JSON.stringify(WEBHOOK)),
  ],
  WaitForWebhook: [
    (context) => context.waitForWebhook("WaitForWebhook", WEBHOOK, "1h"),
    { waitEventId: "evt_w", timeout: "1h" },
    () =>
      done(0, "WaitForWebhook", "WaitForWebhook", undefined, {
        waitEventId: "evt_w",
        timeout: "1h",
        waitTimeout: true,
      }),
  ],
};

/** A group of this kind and a plain step, in every state. */
function pair(kind) {
  const [ask, extra, result] = KINDS[kind];
  const plans = [planned(1, kind, 2, { stepType: kind, ...extra }), planned(2, "other", 2)];
  const own = within(2, { ...result(), stepId: 1 });
  const other = within(2, ran(2, "other", "o"));
  const route =
    ({ trace }) =>
    async (context) => {
      const group = await Promise.all([ask(context), context.run("other", () => "o")]);
      await context.run("end", () => trace(group));
    };
  const states = {
    "first invocation": trigger("{}"),
    first: resume(),
    "partial, own": resume(plans.slice(0, 1)),
    "partial, other": resume(plans),
    "discard, own": resume([...plans, own]),
    "discard, other": resume([...plans, other]),
    "last, own": resume([...plans, other, own]),
    "last, other": resume([...plans, own, other]),
    "next step": resume([...plans, own, other, ran(3, "end")]),
  };
  return Object.entries(states).map(([state, delivery]) => ({
    name: `group with ${kind}: ${state}`,
    route,
    env: { QSTASH_TOKEN: token },
    deliveries: [delivery],
  }));
}

const everything = {
  name: "group of every kind",
  route:
    ({ trace }) =>
    async (context) => {
      const results = await Promise.all(Object.values(KINDS).map(([ask]) => ask(context)));
      await context.run("end", () => trace(results));
    },
  env: { QSTASH_TOKEN: token },
};

const kinds = Object.entries(KINDS);
const plans = kinds.map(([kind, [, extra]], index) =>
  planned(index + 1, kind, kinds.length, { stepType: kind, ...extra }),
);
const results = kinds.map(([, [, , result]], index) => within(kinds.length, { ...result(), stepId: index + 1 }));

export default [
  ...kinds.flatMap(([kind]) => pair(kind)),
  { ...everything, name: "group of every kind: first", deliveries: [resume()] },
  {
    ...everything,
    name: "group of every kind: partial",
    deliveries: plans.map((_, index) => resume(plans.slice(0, index + 1))),
  },
  { ...everything, name: "group of every kind: discard", deliveries: [resume([...plans, ...results.slice(0, 4)])] },
  {
    ...everything,
    name: "group of every kind: last",
    deliveries: [resume([...plans, ...results]), resume([...plans, ...results.toReversed()])],
  },
];
