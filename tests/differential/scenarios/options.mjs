import { failureCallback, resume, trigger, WORKFLOW_URL } from "../delivery.mjs";

const order =
  ({ trace }) =>
  async (context) => {
    await context.run("a", () => trace(context.url, context.requestPayload));
  };

const both = [trigger('{"orderId":1}'), resume()];

/** `serve` lost these options in 1.0: they belong to the client's `trigger`. Untyped callers may still pass them. */
const FORMER_OPTIONS = {
  retries: 5,
  retryDelay: "1000 * (1 + retried)",
  flowControl: { key: "shop", parallelism: 1, rate: 2, period: 3 },
  label: "nightly",
  failureUrl: "https://app.test/api/failed",
};

export default [
  ...Object.entries(FORMER_OPTIONS).map(([option, value]) => ({
    name: `option ${option} of former versions`,
    route: order,
    options: () => ({ [option]: value }),
    deliveries: both,
  })),
  { name: "option url", route: order, options: () => ({ url: "https://public.test/flow?x=1" }), deliveries: both },
  { name: "option baseUrl", route: order, options: () => ({ baseUrl: "https://tunnel.test" }), deliveries: both },
  {
    name: "option baseUrl with a path",
    route: order,
    options: () => ({ baseUrl: "https://tunnel.test/deep" }),
    deliveries: both,
  },
  {
    name: "options url and baseUrl",
    route: order,
    options: () => ({ url: "https://public.test/flow", baseUrl: "https://tunnel.test" }),
    deliveries: both,
  },
  {
    name: "UPSTASH_WORKFLOW_URL in env",
    route: order,
    env: { UPSTASH_WORKFLOW_URL: "https://env.test" },
    deliveries: both,
  },
  {
    name: "option url that is no url",
    route: order,
    options: () => ({ url: "ftp://public.test/flow" }),
    deliveries: both,
  },
  { name: "option disableTelemetry", route: order, options: () => ({ disableTelemetry: true }), deliveries: both },
  { name: "option verbose", route: order, options: () => ({ verbose: true }), deliveries: both },
  {
    name: "option initialPayloadParser",
    route: order,
    options: () => ({ initialPayloadParser: (text) => ({ parsed: text }) }),
    deliveries: [...both, resume([], { payload: "not json" })],
  },
  {
    name: "option initialPayloadParser that throws",
    route: order,
    options: () => ({
      initialPayloadParser: () => {
        throw new Error("no payload of ours");
      },
    }),
    deliveries: both,
  },
  {
    name: "option schema",
    route: order,
    options: () => ({
      schema: {
        parse(value) {
          if (typeof value.orderId !== "number") throw new Error("orderId is missing");
          return { ...value, checked: true };
        },
      },
    }),
    deliveries: [...both, trigger("{}"), resume([], { payload: "{}" }), resume([], { payload: "not json" })],
  },
  {
    name: "option qstashClient",
    route: order,
    options: ({ Client, qstashUrl }) => ({
      qstashClient: new Client({ baseUrl: qstashUrl, token: "token-of-the-client" }),
    }),
    env: { QSTASH_URL: "http://127.0.0.1:9", QSTASH_TOKEN: "unused" },
    deliveries: both,
  },
  {
    name: "option qstashClient with headers for every message",
    route: order,
    options: ({ Client, qstashUrl, token }) => ({
      qstashClient: new Client({ baseUrl: qstashUrl, token, headers: { "x-bypass": "secret" } }),
    }),
    deliveries: both,
  },
  {
    name: "option qstashClient as settings",
    route: order,
    options: () => ({ qstashClient: { headers: { "x-bypass": "secret" } } }),
    deliveries: both,
  },
  {
    name: "base url of QStash with a slash at the end",
    route: order,
    options: ({ Client, qstashUrl, token }) => ({ qstashClient: new Client({ baseUrl: `${qstashUrl}/`, token }) }),
    deliveries: [resume()],
  },
  {
    name: "option failureFunction leaves other requests alone",
    route: order,
    options: () => ({ failureFunction: () => "not called" }),
    deliveries: both,
  },
  {
    name: "failure callback to an endpoint on another path",
    route: order,
    deliveries: [{ ...failureCallback(), url: `${WORKFLOW_URL}/failed` }],
  },
];
