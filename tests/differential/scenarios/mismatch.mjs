import { planned, ran, resume, slept, within } from "../delivery.mjs";

const sequence =
  ({ trace }) =>
  async (context) => {
    trace(await context.run("a", () => 1));
    trace(await context.run("b", () => 2));
  };

const pair =
  ({ trace }) =>
  async (context) => {
    trace(await Promise.all([context.run("x", () => 1), context.run("y", () => 2)]));
  };

const plans = [planned(1, "x", 2), planned(2, "y", 2)];

export default [
  { name: "mismatch: first step's name", route: sequence, deliveries: [resume([ran(1, "renamed", 1)])] },
  {
    name: "mismatch: second step's name",
    route: sequence,
    deliveries: [resume([ran(1, "a", 1), ran(2, "renamed", 1)])],
  },
  { name: "mismatch: step type", route: sequence, deliveries: [resume([slept(1, "a", 1)])] },
  { name: "mismatch: name and type", route: sequence, deliveries: [resume([slept(1, "renamed", 1)])] },
  { name: "mismatch: plan's name", route: pair, deliveries: [resume([planned(1, "renamed", 2)])] },
  {
    name: "mismatch: plan's type",
    route: pair,
    deliveries: [resume([planned(1, "x", 2, { stepType: "SleepFor", sleepFor: 1 })])],
  },
  {
    name: "mismatch: group result's name",
    route: pair,
    deliveries: [resume([...plans, within(2, ran(1, "x", 1)), within(2, ran(2, "renamed", 2))])],
  },
  {
    name: "mismatch: group result's type",
    route: pair,
    deliveries: [resume([...plans, within(2, ran(1, "x", 1)), within(2, slept(2, "y", 2))])],
  },
  {
    name: "mismatch: size of the group",
    route: pair,
    deliveries: [
      resume([planned(1, "x", 3)]),
      resume([...plans.map((plan) => within(3, plan)), within(3, ran(1, "x", 1))]),
    ],
  },
  { name: "mismatch: a single step where a group was", route: sequence, deliveries: [resume([planned(1, "a", 2)])] },
  { name: "mismatch: a group where a single step was", route: pair, deliveries: [resume([ran(1, "x", 1)])] },
  {
    name: "mismatch: fewer steps than recorded",
    route: sequence,
    deliveries: [resume([ran(1, "a", 1), ran(2, "b", 2), ran(3, "c", 3)])],
  },
];
