import {
  base64,
  callback,
  called,
  failureCallback,
  lazy,
  planned,
  RUN_ID,
  ran,
  resume,
  slept,
  trigger,
  within,
} from "../delivery.mjs";

/** The reference's own counters, which say nothing of what happens. */
const COUNTERS = /^Executing parallel steps with: /;

/** A middleware that traces what it is told; `silent` names events that it does not listen to. */
const tracing = ({ WorkflowMiddleware, trace }, silent = []) => {
  const life =
    (event) =>
    ({ context, ...told }) =>
      trace(event, context.workflowRunId, told);
  const debug = (event, field) => (told) => {
    const text = told[field]?.message ?? told[field];
    if (!COUNTERS.test(text)) trace(event, String(text));
  };
  const callbacks = {
    runStarted: life("runStarted"),
    beforeExecution: life("beforeExecution"),
    afterExecution: life("afterExecution"),
    runCompleted: life("runCompleted"),
    onError: debug("onError", "error"),
    onWarning: debug("onWarning", "warning"),
    onInfo: debug("onInfo", "info"),
  };
  for (const event of silent) delete callbacks[event];
  return new WorkflowMiddleware({ name: "tracing", callbacks });
};

const route = () => async (context) => {
  const a = await context.run("a", () => ({ n: 1 }));
  await context.sleep("pause", 1);
  const [left, right] = await Promise.all([context.run("left", () => "l"), context.run("right", () => "r")]);
  return [a, left, right];
};

const observed = (name, deliveries, more = {}) => ({
  name: `middleware: ${name}`,
  route,
  options: (tools) => ({ middlewares: [tracing(tools)] }),
  deliveries,
  ...more,
});

const a = ran(1, "a", { n: 1 });
const pause = slept(2, "pause", 1);
const plans = [planned(3, "left", 2), planned(4, "right", 2)];
const left = within(2, ran(3, "left", "l"));
const right = within(2, ran(4, "right", "r"));

const throwing = (error) => () => async (context) => {
  await context.run("a", () => {
    throw error;
  });
};

const runs = (...bodies) => ({
  [RUN_ID]: bodies.map((body, index) => ({ messageId: `msg_h${index}`, body: base64(body), callType: "step" })),
});

export default [
  observed("first invocation", [trigger("{}")]),
  observed("first invocation that is a duplicate", [
    { ...trigger("{}"), answers: { batch: { body: [{ messageId: "msg_1", deduplicated: true }] } } },
  ]),
  observed("run starts", [resume()]),
  observed("second step", [resume([a])]),
  observed("group is planned", [resume([a, pause])]),
  observed("member of a group", [resume([a, pause, plans[0]])]),
  observed("member of a group is done", [resume([a, pause, ...plans, left])]),
  observed("run completes", [resume([a, pause, ...plans, left, right])]),
  observed("every kind of step", [resume(), resume([called(1, "call", { body: "x" })])], {
    route: () => async (context) => {
      await context.call("call", { url: "https://third.test" });
      await context.waitForEvent("wait", "paid");
    },
  }),
  observed("notify and invoke", [resume(), resume([ran(1, "x", 1)])], {
    route: () => async (context) => {
      if (context.headers.get("never")) await context.notify("tell", "paid");
      await context.run("x", () => 1);
      await context.invoke("ship", {
        workflow: { workflowId: "ship", routeFunction: async () => {}, options: {} },
        body: 1,
      });
    },
  }),
  observed("duplicate", [resume([a, a])]),
  observed("step throws", [resume()], { route: throwing(new RangeError("broken")) }),
  observed("workflow throws", [resume([ran(1, "a", 1)])], {
    route: () => async (context) => {
      await context.run("a", () => 1);
      throw new TypeError("broken");
    },
  }),
  observed("non-retryable error", [resume()], {
    route:
      ({ WorkflowNonRetryableError }) =>
      async (context) => {
        await context.run("a", () => {
          throw new WorkflowNonRetryableError("never");
        });
      },
  }),
  observed("retry-after error", [resume()], {
    route:
      ({ WorkflowRetryAfterError }) =>
      async (context) => {
        await context.run("a", () => {
          throw new WorkflowRetryAfterError("later", 5);
        });
      },
  }),
  observed("run cancels itself", [resume([a])], {
    route: () => async (context) => {
      await context.run("a", () => 1);
      await context.cancel();
    },
  }),
  observed("QStash says the run has ended", [
    resume([], { answers: { batch: { status: 400, body: { error: "ended" } } } }),
  ]),
  observed("route refuses", [resume()], { route: () => async () => "refused" }),
  observed("history is fetched", [
    lazy({ messageId: "msg_h1", runs: runs("{}", JSON.stringify(a), JSON.stringify(pause)) }),
    lazy({ messageId: "msg_h0", runs: runs("{}") }),
    lazy({ messageId: "msg_h0", runs: {} }),
  ]),
  observed("callback", [callback(), callback({ status: 500, retried: 1, maxRetries: 3 })]),
  observed("failure callback", [failureCallback()], {
    options: (tools) => ({ middlewares: [tracing(tools)], failureFunction: () => "told" }),
  }),
  observed("failure callback without a function", [failureCallback()]),
  observed("url is replaced", [resume()], {
    options: (tools) => ({ middlewares: [tracing(tools)], baseUrl: "http://localhost:3000" }),
  }),
  observed("several", [resume([a])], {
    options: (tools) => ({ middlewares: [tracing(tools), tracing(tools, ["onInfo"])] }),
  }),
  observed("made by init", [resume()], {
    options: ({ WorkflowMiddleware, trace }) => ({
      middlewares: [
        new WorkflowMiddleware({
          name: "late",
          init: async () => {
            trace("init");
            return { beforeExecution: ({ stepName }) => trace("before", stepName) };
          },
        }),
      ],
    }),
  }),
  observed("that throws", [resume()], {
    options: ({ WorkflowMiddleware, trace }) => ({
      middlewares: [
        new WorkflowMiddleware({
          name: "broken",
          callbacks: {
            beforeExecution() {
              throw new Error("mine");
            },
            onError: ({ error, workflowRunId }) => trace("told", error.message, workflowRunId),
          },
        }),
        new WorkflowMiddleware({
          name: "mute",
          callbacks: {
            runStarted() {
              throw new Error("nobody hears");
            },
          },
        }),
      ],
    }),
  }),
  observed("logging", [trigger("{}"), resume([a])], {
    options: ({ loggingMiddleware }) => ({ middlewares: [loggingMiddleware] }),
  }),
];
