import { base64, delivered, historyOf, ran, resume, trigger } from "../delivery.mjs";

const order =
  ({ trace }) =>
  async (context) => {
    trace(await context.run("a", () => trace("a runs")));
    await context.run("b", () => trace("b runs"));
  };

/** A history whose step after the payload is the given text. */
const withStep = (text, more = {}) =>
  delivered(JSON.stringify([...historyOf([]), { messageId: "msg_h1", body: base64(text), callType: "step", ...more }]));

const engine = (name, ...deliveries) => ({ name: `malformed: ${name}`, route: order, engineText: true, deliveries });
const told = (name, ...deliveries) => ({ name: `malformed: ${name}`, route: order, deliveries });

export default [
  engine("history that is not JSON", delivered("{"), delivered("text")),
  engine("history that is no array", delivered("{}"), delivered("1"), delivered("null")),
  engine("empty history", delivered("[]")),
  engine("entry without body", delivered('[{"messageId":"m","callType":"step"}]')),
  engine("payload with broken base64", delivered('[{"messageId":"m","body":"%%%","callType":"step"}]')),
  engine("step with broken base64", withStep("{}", { body: "%%%" })),
  engine("step that is not JSON", withStep("{"), withStep("")),
  engine("step that is no object", withStep("null")),
  told("step that is a number", withStep("1")),
  told("step without any field", withStep("{}")),
  told("unknown step type", withStep(JSON.stringify({ ...ran(1, "a", 1), stepType: "Dance" }))),
  told("step without type", withStep(JSON.stringify({ stepId: 1, stepName: "a", out: "1", concurrent: 1 }))),
  told("step id that leaves a gap", withStep(JSON.stringify(ran(7, "a", 1)))),
  told("step without concurrent", withStep(JSON.stringify({ stepId: 1, stepName: "a", stepType: "Run", out: "1" }))),
  told("step with unknown fields", withStep(JSON.stringify({ ...ran(1, "a", 1), future: { x: 1 } }))),
  told(
    "base64 with blanks and without padding",
    withStep("", { body: ` ${base64(JSON.stringify(ran(1, "a", 12))).replace(/=+$/, "")}\n` }),
  ),
  told("no run id", resume([], { headers: { "upstash-workflow-runid": undefined } })),
  told("empty run id", resume([], { headers: { "upstash-workflow-runid": "" } })),
  told(
    "another protocol version",
    ...["2", "0", "1.0", "x"].map((version) => resume([], { headers: { "upstash-workflow-sdk-version": version } })),
  ),
  told(
    "a history without a protocol version",
    resume([ran(1, "a", 1)], { headers: { "upstash-workflow-sdk-version": undefined } }),
  ),
  told("invoke count that is no number", resume([], { headers: { "upstash-workflow-invoke-count": "many" } })),
  told("retried that is no number", resume([], { headers: { "upstash-retried": "often" } })),
  told("unknown SDK without run id", trigger("[]", { headers: { "upstash-workflow-unknown-sdk": "true" } })),
  told(
    "unknown SDK triggers a run",
    resume([], {
      payload: '{"orderId": 42}',
      headers: { "upstash-workflow-unknown-sdk": "true", "upstash-workflow-sdk-version": undefined },
    }),
  ),
];
