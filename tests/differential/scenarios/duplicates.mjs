import { planned, ran, resume, slept, trigger, within } from "../delivery.mjs";

const sequence =
  ({ trace }) =>
  async (context) => {
    trace(await context.run("a", () => 1));
    trace(await context.sleep("pause", 1));
    trace(await context.run("b", () => trace("b runs")));
    return "end";
  };

const a = ran(1, "a", "first");
const again = ran(1, "a", "second");
const pause = slept(2, "pause", 1);
const b = ran(3, "b", "b");

const group =
  ({ trace }) =>
  async (context) => {
    trace(await Promise.all([context.run("x", () => trace("x runs")), context.run("y", () => trace("y runs"))]));
    await context.run("z", () => trace("z runs"));
  };

const plans = [planned(1, "x", 2), planned(2, "y", 2)];
const x = within(2, ran(1, "x", "x"));
const y = within(2, ran(2, "y", "y"));

export default [
  {
    name: "duplicate result, last",
    route: sequence,
    deliveries: [resume([a, again]), resume([a, pause, again]), resume([a, pause, pause])],
  },
  {
    name: "duplicate result, earlier: the first wins",
    route: sequence,
    deliveries: [resume([a, again, pause]), resume([a, pause, again, b])],
  },
  {
    name: "duplicate of the last step of the run",
    route: sequence,
    deliveries: [resume([a, pause, b, ran(3, "b", "other")])],
  },
  {
    name: "duplicate plan, last",
    route: group,
    deliveries: [resume([...plans, plans[0]]), resume([plans[0], plans[0]])],
  },
  {
    name: "duplicate plan, earlier",
    route: group,
    deliveries: [resume([plans[0], plans[0], plans[1]]), resume([...plans, plans[0], x])],
  },
  {
    name: "duplicate group result, last",
    route: group,
    deliveries: [resume([...plans, x, x]), resume([...plans, x, y, x])],
  },
  {
    name: "duplicate group result, earlier",
    route: group,
    deliveries: [
      resume([...plans, x, within(2, ran(1, "x", "other")), y]),
      resume([...plans, x, x, y, ran(3, "z", 1)]),
    ],
  },
  {
    name: "duplicate of the initial payload",
    route: sequence,
    deliveries: [resume([{ stepId: 0, stepName: "init", stepType: "Initial", concurrent: 1 }])],
  },
  {
    name: "two first invocations with one message id",
    route: sequence,
    deliveries: [1, 2].map(() => trigger("{}", { headers: { "upstash-message-id": "msg_same" } })),
  },
];
