import { planned, ran, resume, slept, trigger } from "../delivery.mjs";

const REFUSALS = [400, 401, 404, 412, 429, 500, 503].map((status) => ({ status, body: { error: "told by QStash" } }));

const DAILY_LIMIT = { "ratelimit-limit": "1000", "ratelimit-remaining": "0", "ratelimit-reset": "1700000000" };
const BURST_LIMIT = {
  "burst-ratelimit-limit": "100",
  "burst-ratelimit-remaining": "0",
  "burst-ratelimit-reset": "1700000000",
};

const single =
  ({ trace }) =>
  async (context) => {
    await context.run("a", () => trace("a runs"));
  };
const sleep = () => async (context) => {
  await context.sleep("pause", 1);
};
const group =
  ({ trace }) =>
  async (context) => {
    await Promise.all([context.run("x", () => trace("x runs")), context.run("y", () => 2)]);
  };

const refused = (title, route, delivery, on = "batch") =>
  REFUSALS.map((answer) => ({
    name: `QStash answers ${answer.status} to ${title}`,
    route,
    deliveries: [{ ...delivery, answers: { [on]: answer } }],
  }));

export default [
  ...refused("a step", single, resume()),
  ...refused("a sleep", sleep, resume()),
  ...refused("the plans of a group", group, resume()),
  ...refused("a member of a group", group, resume([planned(1, "x", 2)])),
  ...refused("the first invocation", single, trigger("{}")),
  ...refused("the end of the run", single, resume([ran(1, "a", 1)]), "finish"),
  {
    name: "QStash answers 429 with its daily limit",
    route: single,
    deliveries: [resume([], { answers: { batch: { status: 429, headers: DAILY_LIMIT, body: {} } } })],
  },
  {
    name: "QStash answers 429 with its burst limit",
    route: single,
    deliveries: [resume([], { answers: { batch: { status: 429, headers: BURST_LIMIT, body: {} } } })],
  },
  {
    name: "QStash refuses without a text",
    route: single,
    deliveries: [resume([], { answers: { batch: { status: 500, body: "" } } })],
  },
  {
    name: "QStash accepts with text that is not JSON",
    route: single,
    engineText: true,
    deliveries: [resume([], { answers: { batch: { body: "<html>" } } })],
  },
  {
    name: "QStash accepts the end of the run with text that is not JSON",
    route: single,
    deliveries: [resume([ran(1, "a", 1)], { answers: { finish: { body: "<html>" } } })],
  },
  {
    name: "the run already exists",
    route: single,
    deliveries: [trigger("{}", { answers: { batch: { body: [{ messageId: "msg_1", deduplicated: true }] } } })],
  },
  {
    name: "a refused step after a sleep",
    route: () => async (context) => {
      await context.sleep("pause", 1);
      await context.run("a", () => 1);
    },
    deliveries: [
      resume([slept(1, "pause", 1)], { answers: { batch: { status: 400, body: { error: "run was cancelled" } } } }),
    ],
  },
];
