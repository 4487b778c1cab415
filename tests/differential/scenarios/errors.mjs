import { planned, ran, resume, trigger, within } from "../delivery.mjs";

const throwing = (make) => (tools) => async (context) => {
  await context.run("charge", () => {
    throw make(tools);
  });
};

const rejecting = (make) => (tools) => async (context) => {
  await context.run("charge", () => Promise.reject(make(tools)));
};

const inGroup = (make) => (tools) => async (context) => {
  await Promise.all([
    context.run("left", () => {
      throw make(tools);
    }),
    context.run("right", () => 2),
  ]);
};

class PaymentError extends Error {
  name = "PaymentError";
  code = "card_declined";
}

const THROWN = {
  Error: () => new Error("the card was refused"),
  "own error class": () => new PaymentError("declined"),
  "error with cause": () => new Error("outer", { cause: new Error("inner") }),
  "error without message": () => new TypeError(),
  "message beyond ASCII": () => new Error('é 步骤 "x" \n'),
  text: () => "just a text",
  number: () => 7,
  object: () => ({ reason: "unknown", code: 3 }),
  null: () => null,
  undefined: () => undefined,
  "frozen error": () => Object.freeze(new Error("frozen")),
  WorkflowNonRetryableError: ({ WorkflowNonRetryableError }) => new WorkflowNonRetryableError("never again"),
  "WorkflowNonRetryableError without message": ({ WorkflowNonRetryableError }) => new WorkflowNonRetryableError(),
  "WorkflowRetryAfterError in seconds": ({ WorkflowRetryAfterError }) => new WorkflowRetryAfterError("later", 30),
  "WorkflowRetryAfterError as duration": ({ WorkflowRetryAfterError }) => new WorkflowRetryAfterError("later", "2m"),
};

const byKind = (title, route, delivery, kinds = Object.keys(THROWN)) =>
  kinds.map((kind) => ({
    name: `${title}: ${kind}`,
    route: route(THROWN[kind]),
    deliveries: [delivery],
    engineText: kind === "null" || kind === "undefined",
  }));

const special = Object.keys(THROWN).filter((kind) => kind.startsWith("Workflow"));

export default [
  ...byKind("step throws", throwing, resume()),
  ...byKind("step rejects", rejecting, resume(), ["Error", "text", ...special]),
  ...byKind("group member throws", inGroup, resume([planned(1, "left", 2)]), [
    "Error",
    "own error class",
    "text",
    "null",
    ...special,
  ]),
  ...byKind(
    "route throws between steps",
    (make) => (tools) => async (context) => {
      await context.run("a", () => 1);
      throw make(tools);
    },
    resume([ran(1, "a", 1)]),
    ["Error", "text", "undefined", ...special],
  ),
  ...byKind(
    "route throws before the first step",
    (make) => (tools) => async () => {
      throw make(tools);
    },
    resume(),
    ["Error", "text", ...special],
  ),
  ...byKind(
    "route throws before the first step, first invocation",
    (make) => (tools) => async () => {
      throw make(tools);
    },
    trigger("{}"),
    ["Error", ...special],
  ),
  ...byKind(
    "route throws before a step that is recorded",
    (make) => (tools) => async (context) => {
      if (context.requestPayload.orderId === 42) throw make(tools);
      await context.run("a", () => 1);
    },
    resume([ran(1, "a", 1)]),
    ["Error"],
  ),
  {
    name: "failing step's name in the answer's header",
    route: () => async (context) => {
      await context.run("a\tb\nc \u007f d ", () => {
        throw new Error("x");
      });
    },
    deliveries: [resume()],
  },
  {
    name: "failing step with a Latin-1 name",
    route: () => async (context) => {
      await context.run("zahlé", () => {
        throw new Error("x");
      });
    },
    deliveries: [resume()],
  },
  {
    name: "failing step with a name beyond Latin-1",
    route: () => async (context) => {
      await context.run("步骤", () => {
        throw new Error("x");
      });
    },
    engineText: true,
    deliveries: [resume()],
  },
  {
    name: "route returns without a step",
    route: () => async () => "no step",
    deliveries: [trigger("{}"), resume(), resume([ran(1, "a", 1)])],
  },
  {
    name: "route refuses depending on the payload",
    route: () => async (context) => {
      if (context.headers.get("authorization") !== "Bearer right") return;
      await context.run("a", () => 1);
    },
    deliveries: [
      trigger("{}", { headers: { authorization: "Bearer right" } }),
      trigger("{}", { headers: { authorization: "Bearer wrong" } }),
      resume([], { headers: { authorization: "Bearer wrong" } }),
    ],
  },
  {
    name: "step inside a step",
    route: () => async (context) => {
      await context.run("outer", () => context.run("inner", () => 1));
    },
    deliveries: [resume()],
  },
  {
    name: "cancel",
    route: () => async (context) => {
      await context.run("a", () => 1);
      await context.cancel();
    },
    deliveries: [resume([ran(1, "a", 1)])],
  },
  {
    name: "try and catch around a step",
    route:
      ({ trace }) =>
      async (context) => {
        let caught = false;
        try {
          await context.run("a", () => 1);
        } catch {
          caught = true;
        }
        await context.run("b", () => trace("b runs", caught));
      },
    deliveries: [resume(), resume([ran(1, "a", 1)])],
  },
  {
    name: "try and finally around a replayed step",
    route:
      ({ trace }) =>
      async (context) => {
        const seen = [];
        try {
          seen.push(await context.run("a", () => 1));
        } finally {
          seen.push("finally");
        }
        await context.run("b", () => trace(seen));
      },
    deliveries: [resume([ran(1, "a", 1)])],
  },
  {
    name: "errors of the last group result do not run again",
    route: inGroup(() => new Error("must not run")),
    deliveries: [
      resume([
        planned(1, "left", 2),
        planned(2, "right", 2),
        within(2, ran(1, "left", 1)),
        within(2, ran(2, "right", 2)),
      ]),
    ],
  },
];
