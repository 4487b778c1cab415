import { planned, ran, resume, slept, sleptUntil, trigger, within } from "../delivery.mjs";

const two =
  ({ trace }) =>
  async (context) => {
    const results = await Promise.all([
      context.run("left", () => {
        trace("left runs");
        return "l";
      }),
      context.run("right", async () => {
        trace("right runs");
        return { r: 1 };
      }),
    ]);
    trace("group gave", results);
    return results;
  };

const left = within(2, ran(1, "left", "l"));
const right = within(2, ran(2, "right", { r: 1 }));
const twoPlans = [planned(1, "left", 2), planned(2, "right", 2)];

const mixed =
  ({ trace }) =>
  async (context) => {
    const before = await context.run("before", () => 0);
    const group = await Promise.all([
      context.run("stock", () => trace("stock runs")),
      context.sleep("pause", 5),
      context.sleepUntil("moment", 1800000000),
    ]);
    trace("group gave", group);
    return await context.run("after", () => {
      trace("after runs");
      return before + 1;
    });
  };

const before = ran(1, "before", 0);
const mixedPlans = [
  planned(2, "stock", 3),
  planned(3, "pause", 3, { stepType: "SleepFor", sleepFor: 5 }),
  planned(4, "moment", 3, { stepType: "SleepUntil", sleepUntil: 1800000000 }),
];
const stock = within(3, ran(2, "stock"));
const pause = within(3, slept(3, "pause", 5));
const moment = within(3, sleptUntil(4, "moment", 1800000000));

const nested =
  ({ trace }) =>
  async (context) => {
    const [a, b] = await Promise.all([
      (async () => {
        const first = await context.run("a1", () => "a1");
        return `${first}+${await context.run("a2", () => "a2")}`;
      })(),
      (async () => {
        const first = await context.run("b1", () => "b1");
        return `${first}+${await context.run("b2", () => "b2")}`;
      })(),
    ]);
    trace(a, b);
    return await context.run("join", () => [a, b]);
  };

export default [
  { name: "parallel 2: first invocation", route: two, deliveries: [trigger("{}")] },
  { name: "parallel 2: first", route: two, deliveries: [resume()] },
  { name: "parallel 2: partial, left", route: two, deliveries: [resume([twoPlans[0]])] },
  { name: "parallel 2: partial, right", route: two, deliveries: [resume(twoPlans)] },
  {
    name: "parallel 2: partial after the other's result",
    route: two,
    deliveries: [resume([twoPlans[0], left, twoPlans[1]])],
  },
  { name: "parallel 2: discard", route: two, deliveries: [resume([...twoPlans, left]), resume([...twoPlans, right])] },
  { name: "parallel 2: discard while a plan is missing", route: two, deliveries: [resume([twoPlans[0], left])] },
  {
    name: "parallel 2: last",
    route: two,
    deliveries: [resume([...twoPlans, left, right]), resume([...twoPlans, right, left])],
  },
  {
    name: "parallel 2: plans in another order",
    route: two,
    deliveries: [resume([twoPlans[1]]), resume([twoPlans[1], twoPlans[0], right, left])],
  },
  { name: "a whole run with 2 in parallel", route: two, conversation: trigger("{}") },
  { name: "parallel 3 with sleeps: first", route: mixed, deliveries: [resume([before])] },
  {
    name: "parallel 3 with sleeps: partial",
    route: mixed,
    deliveries: [1, 2, 3].map((count) => resume([before, ...mixedPlans.slice(0, count)])),
  },
  {
    name: "parallel 3 with sleeps: discard",
    route: mixed,
    deliveries: [resume([before, ...mixedPlans, stock]), resume([before, ...mixedPlans, pause, stock])],
  },
  {
    name: "parallel 3 with sleeps: last, then the next step",
    route: mixed,
    deliveries: [
      resume([before, ...mixedPlans, stock, pause, moment]),
      resume([before, ...mixedPlans, moment, stock, pause]),
      resume([before, ...mixedPlans, stock, pause, moment, ran(5, "after", 1)]),
    ],
  },
  { name: "a whole run with 3 in parallel and a step after", route: mixed, conversation: trigger("{}") },
  { name: "a whole run with sequences in parallel", route: nested, conversation: trigger("{}") },
  {
    name: "a whole run with two groups",
    route:
      ({ trace }) =>
      async (context) => {
        const one = await Promise.all([context.run("a", () => 1), context.run("b", () => 2)]);
        trace(one);
        const between = await context.run("c", () => 3);
        const other = await Promise.all([
          context.run("d", () => 4),
          context.run("e", () => 5),
          context.run("f", () => 6),
        ]);
        return [one, between, other];
      },
    conversation: trigger("{}"),
  },
  {
    name: "a whole run with groups of uneven length",
    route: () => async (context) => {
      const branch = async (name, length) => {
        const seen = [];
        for (let index = 0; index < length; index += 1) seen.push(await context.run(`${name}${index}`, () => index));
        return seen;
      };
      return await Promise.all([branch("x", 1), branch("y", 3), branch("z", 2)]);
    },
    conversation: trigger("{}"),
  },
  {
    name: "steps started together and awaited one by one",
    route:
      ({ trace }) =>
      async (context) => {
        const one = context.run("one", () => 1);
        const other = context.run("other", () => 2);
        other.catch(() => {}); // the reference rejects both; without this Node would end the process
        trace(await one);
        trace(await other);
      },
    conversation: trigger("{}"),
  },
  {
    name: "a step started one microtask later joins the group",
    route: () => async (context) => {
      const later = async () => {
        await null;
        return await context.run("later", () => 2);
      };
      await Promise.all([context.run("now", () => 1), later()]);
    },
    deliveries: [resume()],
  },
  {
    name: "a group of one",
    route:
      ({ trace }) =>
      async (context) =>
        trace(await Promise.all([context.run("alone", () => 1)])),
    conversation: trigger("{}"),
  },
  {
    name: "Promise.allSettled",
    route:
      ({ trace }) =>
      async (context) => {
        const settled = await Promise.allSettled([context.run("one", () => 1), context.run("other", () => 2)]);
        await context.run("end", () => trace(settled));
      },
    deliveries: [
      resume([
        planned(1, "one", 2),
        planned(2, "other", 2),
        within(2, ran(1, "one", 1)),
        within(2, ran(2, "other", 2)),
      ]),
    ],
  },
  {
    name: "large group: first",
    route: () => async (context) => {
      await Promise.all(Array.from({ length: 20 }, (_, index) => context.run(`member ${index}`, () => index)));
    },
    deliveries: [resume()],
  },
];
