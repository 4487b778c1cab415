import { base64, failureCallback, RUN_ID } from "../delivery.mjs";

const order = () => async (context) => {
  await context.run("a", () => 1);
};

/** A failure function that records all it is given and returns `value`. */
const telling =
  (value) =>
  ({ trace }) => ({
    failureFunction: async ({ context, failStatus, failResponse, failHeaders, failStack }) => {
      trace(failStatus, failResponse, failHeaders, failStack);
      trace(
        context.workflowRunId,
        context.url,
        context.requestPayload,
        context.workflowRunCreatedAt,
        context.retried,
        context.labels,
      );
      trace([...context.headers.entries()].filter(([name]) => name.startsWith("x-")));
      return value;
    },
  });

const told = (name, failure = {}, more = {}) => ({
  name: `failure callback: ${name}`,
  route: order,
  options: telling("noted"),
  deliveries: [failureCallback(failure, more)],
});

export default [
  told("all that the function is given"),
  told(
    "user headers and label",
    {},
    { headers: { "x-custom": "kept", "x-vercel-id": "dropped", "upstash-label": "one,two", "upstash-retried": "1" } },
  ),
  told("response that is not JSON", { body: base64("<html>gateway</html>") }),
  told("response without message", { body: base64('{"other":1}') }),
  told("empty response", { body: "" }),
  told("no response", { body: undefined, status: 0, header: undefined }),
  told("response beyond ASCII", { body: base64('{"message":"é 步骤 😀"}') }),
  told("no payload", { sourceBody: undefined }),
  told("payload that is text", { sourceBody: base64("plain ✓") }),
  told("other run id in the body", { workflowRunId: "wfr_in_body" }),
  told(
    "only the header Upstash-Workflow-Failure-Callback",
    {},
    { headers: { "upstash-workflow-is-failure": undefined } },
  ),
  told(
    "with the protocol version, without Upstash-Workflow-Is-Failure",
    {},
    { headers: { "upstash-workflow-sdk-version": "1", "upstash-workflow-is-failure": undefined } },
  ),
  { name: "failure callback: no function", route: order, deliveries: [failureCallback()] },
  {
    name: "failure callback: function returns nothing",
    route: order,
    options: telling(undefined),
    deliveries: [failureCallback()],
  },
  {
    name: "failure callback: function returns an object",
    route: order,
    options: telling({ a: [1] }),
    deliveries: [failureCallback()],
  },
  {
    name: "failure callback: function throws",
    route: order,
    options: () => ({
      failureFunction: () => {
        throw new Error("even this failed");
      },
    }),
    deliveries: [failureCallback()],
  },
  {
    name: "failure callback: body that is not JSON",
    route: order,
    options: telling("noted"),
    engineText: true,
    deliveries: [
      { ...failureCallback(), body: "{" },
      { ...failureCallback(), body: "" },
    ],
  },
  {
    name: "failure callback: no run id",
    route: order,
    options: telling("noted"),
    deliveries: [failureCallback({}, { headers: { "upstash-workflow-runid": undefined } })],
  },
  {
    name: "failure callback: route refuses",
    route: () => async () => "no step",
    options: telling("noted"),
    deliveries: [failureCallback()],
  },
  {
    name: "failure callback: route throws before its first step",
    route: () => async () => {
      throw new Error("before the first step");
    },
    options: telling("noted"),
    deliveries: [failureCallback()],
  },
  {
    name: "failure callback: Upstash-Workflow-Is-Failure that is not true",
    route: order,
    options: telling("noted"),
    deliveries: [failureCallback({ workflowRunId: RUN_ID }, { headers: { "upstash-workflow-is-failure": "false" } })],
  },
];
