import { base64, historyOf, lazy, planned, RUN_ID, ran, resume, within } from "../delivery.mjs";

const order =
  ({ trace }) =>
  async (context) => {
    const a = await context.run("a", () => {
      trace("a runs", context.requestPayload);
      return 1;
    });
    trace("a gave", a);
    await context.run("b", () => trace("b runs"));
    return a;
  };

const group =
  ({ trace }) =>
  async (context) => {
    trace(await Promise.all([context.run("x", () => trace("x runs")), context.run("y", () => trace("y runs"))]));
  };

const done = [ran(1, "a", 1), ran(2, "b", 2)];
const runs = { [RUN_ID]: historyOf(done) };
const [plans, results] = [
  [planned(1, "x", 2), planned(2, "y", 2)],
  [within(2, ran(1, "x", 1)), within(2, ran(2, "y", 2))],
];

export default [
  { name: "lazy: whole history", route: order, deliveries: [lazy({ messageId: "msg_h2", runs })] },
  {
    name: "lazy: history cut at the message",
    route: order,
    deliveries: [lazy({ messageId: "msg_h1", runs }), lazy({ messageId: "msg_h0", runs })],
  },
  {
    name: "lazy: a single entry is used whatever its id",
    route: order,
    deliveries: [lazy({ messageId: "msg_other", runs: { [RUN_ID]: historyOf([]) } })],
  },
  {
    name: "lazy: no message id",
    route: order,
    deliveries: [lazy({ runs, headers: { "upstash-message-id": undefined } })],
  },
  {
    name: "lazy: unknown message id",
    route: order,
    engineText: true,
    deliveries: [lazy({ messageId: "msg_other", runs })],
  },
  { name: "lazy: run is gone", route: order, deliveries: [lazy({ messageId: "msg_h1", runs: {} })] },
  {
    name: "lazy: QStash fails",
    route: order,
    deliveries: [400, 401, 500].map((status) => ({
      ...lazy({ messageId: "msg_h1" }),
      answers: { fetch: { status, body: { error: "told by QStash" } } },
    })),
  },
  {
    name: "lazy: history that is not JSON",
    route: order,
    engineText: true,
    deliveries: [{ ...lazy({ messageId: "m" }), answers: { fetch: { body: "<html>" } } }],
  },
  {
    name: "lazy: duplicate in last position",
    route: order,
    deliveries: [lazy({ messageId: "msg_h2", runs: { [RUN_ID]: historyOf([done[0], done[0]]) } })],
  },
  {
    name: "lazy: parallel group cut at a plan and at a result",
    route: group,
    deliveries: [1, 2, 3, 4].map((index) =>
      lazy({ messageId: `msg_h${index}`, runs: { [RUN_ID]: historyOf([...plans, ...results]) } }),
    ),
  },
  {
    name: "lazy: run id needs escaping",
    route: order,
    deliveries: [lazy({ messageId: "msg_h0", runs: {}, runId: "wfr_a b" })],
  },
  {
    name: "lazy: entries without callType are skipped",
    route: order,
    deliveries: [
      lazy({
        messageId: "m2",
        runs: {
          [RUN_ID]: [
            { messageId: "m1", body: base64("{}") },
            { messageId: "m2", body: base64(JSON.stringify(done[0])) },
          ],
        },
      }),
    ],
  },
  { name: "an inline history is not fetched", route: order, deliveries: [resume([done[0]], { answers: { runs } })] },
];
