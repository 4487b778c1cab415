import { failureCallback, resume, trigger, WORKFLOW_URL } from "../delivery.mjs";

const facts = ({ requestPayload, headers, workflowRunId, workflowRunCreatedAt, url, env, label, labels, retried }) => [
  requestPayload,
  [...headers],
  workflowRunId,
  workflowRunCreatedAt,
  url,
  env.QSTASH_TOKEN,
  env.SHOP,
  label,
  labels,
  retried,
];

const route =
  ({ trace }) =>
  async (context) => {
    await context.run("look", () => trace(...facts(context)));
  };

const seen = (name, delivery, more = {}) => ({
  name: `context: ${name}`,
  route,
  env: { SHOP: "s" },
  deliveries: [delivery],
  ...more,
});
const headers = (headers) => resume([], { headers });

export default [
  seen("plain", resume()),
  seen(
    "headers of the user",
    headers({ "x-user": "u", "X-Forwarded-For": "1.2.3.4", "cf-ray": "r", authorization: "a" }),
  ),
  seen("one label", headers({ "upstash-label": "nightly" })),
  seen("several labels", headers({ "upstash-label": "nightly,eu" })),
  seen("empty label", headers({ "upstash-label": "" })),
  seen("retried", headers({ "upstash-retried": "2" })),
  seen("no time of creation", headers({ "upstash-workflow-createdat": undefined })),
  seen("url with a query", { ...resume(), url: `${WORKFLOW_URL}?x=1` }),
  {
    name: "context: in the failure function",
    route,
    env: { SHOP: "s" },
    options: ({ trace }) => ({ failureFunction: ({ context }) => trace(...facts(context)) }),
    deliveries: [failureCallback({}, { headers: { "upstash-label": "nightly", "x-user": "u" } })],
  },
  {
    name: "context: a label is handed on by the first invocation",
    route,
    deliveries: [trigger("{}", { headers: { "upstash-label": "a,b" } })],
  },
  {
    name: "context: the client publishes",
    route: () => async (context) => {
      await context.run("publish", async () => {
        const { messageId } = await context.qstashClient.publishJSON({ url: "https://third.test", body: { a: 1 } });
        return messageId;
      });
    },
    deliveries: [resume()],
  },
  {
    name: "context: the client that was given publishes",
    route: () => async (context) => {
      await context.run("publish", async () => {
        await context.qstashClient.batchJSON([{ url: "https://third.test", body: { a: 1 } }]);
      });
    },
    options: ({ Client, qstashUrl }) => ({ qstashClient: new Client({ baseUrl: qstashUrl, token: "own" }) }),
    deliveries: [resume()],
  },
];
