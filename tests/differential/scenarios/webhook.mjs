import { base64, done, planned, resume, trigger, within } from "../delivery.mjs";

/** A token that names its user, as the real ones do. */
const token = Buffer.from(JSON.stringify({ UserID: "user-1", Password: "p" })).toString("base64");

const route =
  ({ trace }) =>
  async (context) => {
    const webhook = await context.createWebhook("make");
    trace(webhook);
    const { timeout, request } = await context.waitForWebhook("order", webhook, "1h");
    const { method, url, headers } = request ?? {};
    trace(timeout, method, url, headers && [...headers], await request?.text());
    await context.run("end", () => {});
  };

const WEBHOOK = { webhookUrl: "http://qstash.test/v2/workflows/hooks/user-1/wfr_given/evt_1", eventId: "evt_1" };
const made = done(1, "make", "CreateWebhook", JSON.stringify(WEBHOOK));

const with_ = (name, deliveries, env = { QSTASH_TOKEN: token }) => ({
  name: `webhook: ${name}`,
  route,
  env,
  deliveries,
});

const event = (fields = {}) =>
  base64(
    JSON.stringify({
      method: "POST",
      header: { "Content-Type": ["application/json"], "X-Many": ["1", "2"] },
      body: base64('{"a":"é"}'),
      proto: "https",
      host: "qstash.test",
      url: "/v2/workflows/hooks/user-1/wfr_given/evt_1?x=1",
      ...fields,
    }),
  );

const called = (name, out, extra) =>
  with_(name, [resume([made, done(2, "order", "WaitForWebhook", out, { waitEventId: "evt_1", ...extra })])]);

const group =
  ({ trace }) =>
  async (context) => {
    trace(await Promise.all([context.createWebhook("one"), context.waitForWebhook("two", WEBHOOK, 60)]));
  };
const plans = [
  planned(1, "one", 2, { stepType: "CreateWebhook" }),
  planned(2, "two", 2, { stepType: "WaitForWebhook", waitEventId: "evt_1", timeout: "60s" }),
];

export default [
  with_("first invocation", [trigger("{}")]),
  with_("is made", [resume()]),
  with_("is made in a nested run", [resume([], { headers: { "upstash-workflow-invoke-count": "2" } })]),
  with_("token that is no base64", [resume()], {}),
  with_("token that names no user", [resume()], { QSTASH_TOKEN: base64("{}") }),
  with_("is waited for", [resume([made])]),
  with_("made without out", [resume([done(1, "make", "CreateWebhook", undefined)])]),
  called("called", event()),
  called("called without a body", event({ body: undefined })),
  called("called with an empty body", event({ body: "", header: {} })),
  called("called with text and no type", event({ body: base64("x"), header: {} })),
  called("called with GET", event({ method: "GET" })),
  called("called with DELETE", event({ method: "DELETE" })),
  called("called in lower case", event({ method: "post" })),
  called("called without headers", event({ header: undefined })),
  called("timeout", undefined, { waitTimeout: true }),
  called("neither called nor timeout", undefined),
  called("an event that is no request", base64("x")),
  {
    name: "webhooks in parallel",
    route: group,
    env: { QSTASH_TOKEN: token },
    deliveries: [
      resume(),
      resume(plans.slice(0, 1)),
      resume(plans),
      resume([...plans, within(2, done(1, "one", "CreateWebhook", JSON.stringify(WEBHOOK)))]),
    ],
  },
];
