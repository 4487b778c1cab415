import { ran, resume, slept, sleptUntil, trigger } from "../delivery.mjs";

const DURATIONS = [0, 1, 1.4, 1.5, 10, 86400, "10s", "1m", "1d10h30m", "1w"];

const MOMENTS = {
  "whole seconds": () => 1800000000,
  "fraction of a second": () => 1800000000.5,
  zero: () => 0,
  Date: () => new Date(1800000000499),
  "Date, rounded up": () => new Date(1800000000500),
  "ISO text": () => "2027-01-15T08:00:00Z",
  "ISO text with offset": () => "2027-01-15T08:00:00.700+02:00",
  "day only": () => "2027-01-15",
};

const sleeping = (duration) => () => async (context) => {
  await context.sleep("pause", duration);
};

const sleepingUntil = (moment) => () => async (context) => {
  await context.sleepUntil("pause", moment());
};

export default [
  ...DURATIONS.map((duration) => ({
    name: `sleep: ${JSON.stringify(duration)}`,
    route: sleeping(duration),
    deliveries: [resume()],
  })),
  ...Object.entries(MOMENTS).map(([kind, moment]) => ({
    name: `sleepUntil: ${kind}`,
    route: sleepingUntil(moment),
    deliveries: [resume()],
  })),
  { name: "sleepUntil: text that is no date", route: sleepingUntil(() => "tomorrow"), deliveries: [resume()] },
  {
    name: "a sleep gives undefined",
    route:
      ({ trace }) =>
      async (context) => {
        trace(await context.sleep("short", 1));
        trace(await context.sleepUntil("moment", 1800000000));
        await context.run("end", () => 1);
      },
    deliveries: [resume([slept(1, "short", 1), sleptUntil(2, "moment", 1800000000)])],
  },
  {
    name: "a replayed sleep may have another duration",
    route:
      ({ trace }) =>
      async (context) => {
        await context.sleep("pause", 20);
        await context.run("end", () => trace("end runs"));
      },
    deliveries: [resume([slept(1, "pause", 10)])],
  },
  {
    name: "a whole run with sleeps",
    route:
      ({ trace }) =>
      async (context) => {
        const before = await context.run("before", () => "b");
        await context.sleep("pause", "10s");
        trace("after the pause", before);
        await context.sleepUntil("moment", new Date(1800000000000));
        return await context.run("after", () => `${before}a`);
      },
    conversation: trigger("{}"),
  },
  {
    name: "sleep first",
    route: () => async (context) => {
      await context.sleep("pause", 3);
      await context.run("a", () => 1);
    },
    deliveries: [
      trigger("{}"),
      resume(),
      resume([slept(1, "pause", 3)]),
      resume([slept(1, "pause", 3), ran(2, "a", 1)]),
    ],
  },
];
