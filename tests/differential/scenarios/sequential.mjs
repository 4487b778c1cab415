import { historyOf, lazy, RUN_ID, ran, resume, trigger, WORKFLOW_URL } from "../delivery.mjs";

/** Three steps, with what the workflow sees of each. */
const order =
  ({ trace }) =>
  async (context) => {
    const valid = await context.run("validate", () => {
      trace("validate runs", context.requestPayload);
      return { ok: true, orderId: context.requestPayload.orderId };
    });
    trace("validate gave", valid);
    const charge = await context.run("charge", async () => {
      await Promise.resolve();
      trace("charge runs");
      return "ch_1";
    });
    trace("charge gave", charge);
    const shipped = await context.run("ship", () => {
      trace("ship runs");
      return [valid.orderId, charge];
    });
    trace("ship gave", shipped);
    return { shipped };
  };

const validated = ran(1, "validate", { ok: true, orderId: 42 });
const charged = ran(2, "charge", "ch_1");
const shipped = ran(3, "ship", [42, "ch_1"]);

const oneStep =
  ({ trace }) =>
  async (context) => {
    await context.run("only", () => trace(context.requestPayload, typeof context.requestPayload));
  };

export default [
  { name: "first invocation starts a run", route: order, deliveries: [trigger('{"orderId":42}')] },
  { name: "no step done: the first runs", route: order, deliveries: [resume()] },
  { name: "one step done: the second runs", route: order, deliveries: [resume([validated])] },
  { name: "two steps done: the third runs", route: order, deliveries: [resume([validated, charged])] },
  { name: "all steps done: the run ends", route: order, deliveries: [resume([validated, charged, shipped])] },
  { name: "a whole sequential run", route: order, conversation: trigger('{"orderId":42}') },
  {
    name: "two runs of one endpoint have two ids",
    route: order,
    deliveries: [trigger('{"orderId":1}'), trigger('{"orderId":2}')],
  },
  {
    name: "first invocation forwards user headers",
    route: order,
    deliveries: [
      trigger('{"orderId":42}', {
        headers: {
          "X-Custom": "Value with Case",
          authorization: "Bearer of the user",
          cookie: "a=b; c=d",
          "user-agent": "somebody",
          "upstash-message-id": "msg_trigger",
          "upstash-retried": "0",
          "upstash-caller-ip": "192.0.2.1",
        },
      }),
    ],
  },
  {
    name: "first invocation drops headers of the infrastructure",
    route: order,
    deliveries: [
      trigger("{}", {
        headers: {
          "upstash-region": "us-east-1",
          "upstash-workflow-runid": "wfr_of_somebody",
          "upstash-workflow-anything": "x",
          "x-vercel-id": "x",
          "x-forwarded-for": "192.0.2.1",
          "cf-connecting-ip": "192.0.2.1",
          "cdn-loop": "x",
          "cf-ew-via": "x",
          "cf-ray": "x",
          "cf-ipcountry": "kept",
          "render-proxy-ttl": "x",
        },
      }),
    ],
  },
  {
    name: "first invocation carries a label",
    route: order,
    deliveries: [
      trigger("{}", { headers: { "upstash-label": "one" } }),
      trigger("{}", { headers: { "upstash-label": "one,two" } }),
    ],
  },
  {
    name: "steps do not repeat user headers and label",
    route: order,
    deliveries: [resume([], { headers: { "x-custom": "x", "upstash-label": "one", "upstash-retries": "7" } })],
  },
  {
    name: "payload of a first invocation is rewritten",
    route: order,
    deliveries: [
      ' { "a" : 1.0 , "b": 1e2, "c": 12345678901234567890, "a": 2 } ',
      '"text"',
      '"123"',
      "123",
      "null",
      "[1, 2]",
      "plain text",
      '{"broken":',
      '{"é":"\\u00e9 \\ud83d\\ude00 \\u2028 \\u0000 <>&"}',
      "",
    ].map((body) => trigger(body)),
  },
  {
    name: "content type of a first invocation",
    route: order,
    deliveries: [
      trigger("a=b", { headers: { "content-type": "application/x-www-form-urlencoded" } }),
      trigger("<a/>", { headers: { "content-type": "application/xml; charset=utf-8" } }),
    ],
  },
  {
    name: "payload as the workflow sees it",
    route: oneStep,
    deliveries: ['{"a":[1,{"b":null}]}', '"123"', "123", "null", "true", "plain ✓", ""].map((payload) =>
      resume([], { payload }),
    ),
  },
  {
    name: "what the context tells",
    route:
      ({ trace }) =>
      async (context) => {
        await context.run("look", () => {
          trace(
            context.workflowRunId,
            context.url,
            context.workflowRunCreatedAt,
            context.retried,
            context.label,
            context.labels,
          );
          trace([...context.headers.entries()].filter(([name]) => name.startsWith("x-")));
          trace(context.env.OWN);
        });
      },
    env: { OWN: "value" },
    deliveries: [
      resume([], {
        headers: { "x-custom": "kept", "x-vercel-id": "dropped", "upstash-label": "one,two", "upstash-retried": "2" },
      }),
    ],
  },
  {
    name: "invoke count is passed on",
    route: order,
    deliveries: [
      trigger("{}", { headers: { "upstash-workflow-invoke-count": "3" } }),
      resume([], { headers: { "upstash-workflow-invoke-count": "3" } }),
      resume([], { headers: { "upstash-workflow-invoke-count": "0" } }),
    ],
  },
  {
    name: "loops and branches replay",
    route:
      ({ trace }) =>
      async (context) => {
        let sum = 0;
        for (let index = 1; index <= 3; index += 1) {
          sum += await context.run(`add ${index}`, () => index);
          trace("sum", sum);
          if (sum === 3) await context.run("at three", () => null);
        }
        return sum;
      },
    conversation: trigger("{}"),
  },
  {
    name: "steps in called functions replay",
    route:
      ({ trace }) =>
      async (context) => {
        const inner = async (name) =>
          `${await context.run(`${name} a`, () => "a")}${await context.run(`${name} b`, () => "b")}`;
        trace(await inner("first"));
        return await inner("second");
      },
    conversation: trigger("{}"),
  },
  {
    name: "the same step name twice",
    route:
      ({ trace }) =>
      async (context) => {
        trace(await context.run("same", () => 1));
        trace(await context.run("same", () => 2));
      },
    conversation: trigger("{}"),
  },
  {
    name: "step names beyond ASCII",
    route: () => async (context) => {
      await context.run('步骤 "1" \\ \n é 😀', () => 1);
    },
    deliveries: [resume(), resume([ran(1, '步骤 "1" \\ \n é 😀', 1)])],
  },
  {
    name: "a step without a name",
    route: () => async (context) => {
      await context.run("", () => 1);
    },
    deliveries: [trigger("{}"), resume()],
  },
  {
    name: "history with entries that are not steps",
    route: order,
    deliveries: [
      lazy({
        messageId: "msg_last",
        runs: {
          [RUN_ID]: [
            ...historyOf([validated]),
            { messageId: "msg_call", body: "bm90IGpzb24=", callType: "toCallback" },
            { messageId: "msg_back", body: "bm90IGpzb24=", callType: "fromCallback" },
            { ...historyOf([charged])[1], messageId: "msg_last" },
          ],
        },
      }),
    ],
  },
  {
    name: "the url of the request is the workflow's",
    route: order,
    deliveries: [{ ...resume(), url: `${WORKFLOW_URL}?tenant=a%20b&x=1` }],
  },
];
