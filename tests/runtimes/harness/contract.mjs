/** What every project does over HTTP, whatever it is made of. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";

import { Client as QstashClient } from "@repo/orchestration/client";
import { Client as WorkflowClient } from "@repo/orchestration/workflows";

import { delivered, historyOf, signed } from "../../differential/delivery.mjs";
import { until } from "./wait.mjs";

/** Where a project takes what; the workflow is where the broker delivers. */
const PATHS = { orders: "/orders", workflow: "/api/order", reminders: "/reminders", inbox: "/inbox" };
/** The steps of an order in their order, those of a group by name. */
const STEPS = [
  ["Initial init"],
  ["Run price"],
  ["Run invoice", "Run reserve"],
  ["SleepFor cooling off"],
  ["Wait approval"],
];
const WRONG_KEY = "sig_of_somebody_else";

/**
 * @param {string} title
 * @param {() => { app: { url: string, output?: () => string },
 *   surroundings: import("./surroundings.mjs").Surroundings }} given  what is there once the tests run
 * @param {Partial<typeof PATHS> & { payment?: string }} [own]  where the project differs; the payment is its last step
 */
export function keepsTheContract(title, given, { payment = "Call charge", ...own } = {}) {
  const paths = { ...PATHS, ...own };
  const broker = () => {
    const { url, token } = given().surroundings.broker;
    return { baseUrl: url, token };
  };

  describe(title, { concurrency: true }, () => {
    test("an order that a request has started goes through all its steps", () =>
      explained(given, async ({ app, surroundings }) => {
        const orderId = randomUUID();
        const client = new WorkflowClient(broker());
        const { workflowRunId } = await post(`${app.url}${paths.orders}`, { orderId, quantity: 2 });
        const event = { eventId: `order-${orderId}`, eventData: { by: "ann" } };
        await until("somebody waits for the approval", async () => (await client.notify(event)).length > 0);
        const ended = await until("the end of the run", async () => {
          const { runs } = await client.logs({ workflowRunId });
          return runs[0]?.workflowState !== "RUN_STARTED" && runs[0];
        });

        assert.equal(ended.workflowState, "RUN_SUCCESS");
        assert.deepEqual(JSON.parse(ended.workflowRunResponse), {
          ...{ orderId, total: 40, stock: "2 reserved", invoice: `invoice-${orderId}` },
          ...{ approvedBy: "ann", receipt: `receipt-${orderId}` },
        });
        assert.deepEqual(
          ended.steps.map((group) => group.steps.map(({ stepType, stepName }) => `${stepType} ${stepName}`).sort()),
          [...STEPS, [payment]],
        );
        const charges = surroundings.charges.filter((charge) => charge.orderId === orderId);
        assert.deepEqual(charges, [{ orderId, amount: 40 }]);
      }));

    test("what the broker did not sign is refused", () =>
      explained(given, async ({ app, surroundings }) => {
        const { QSTASH_CURRENT_SIGNING_KEY: key } = surroundings.environment;
        const history = JSON.stringify(historyOf([], JSON.stringify({ orderId: "forged", quantity: 1 })));
        const workflow = delivered(history, { url: `${app.url}${paths.workflow}`, runId: "wfr_forged" });
        assert.equal(await statusOf(workflow), 401);
        assert.equal(await statusOf(signed(workflow, { key: WRONG_KEY })), 403);
        const elsewhere = signed(workflow, { key, claims: { sub: "https://elsewhere.test/" } });
        assert.equal(await statusOf(elsewhere), 403);

        const message = delivered('{"text":"forged"}', { url: `${app.url}${paths.inbox}` });
        for (const forged of [message, signed(message, { key: WRONG_KEY })])
          assert.match(String(await statusOf(forged)), /^40[13]$/);
        assert.equal(await statusOf(signed(message, { key })), 200, "with the right key it is accepted");
      }));

    test("a message that it publishes is delivered to it", () =>
      explained(given, async ({ app }) => {
        const client = new QstashClient(broker());
        const { messageId } = await post(`${app.url}${paths.reminders}`, { text: "pay" });
        const states = await until("the end of the delivery", async () => {
          const { logs } = await client.logs({ messageIds: [messageId] });
          const states = logs.map(({ state }) => state);
          return states.some((state) => ["DELIVERED", "ERROR", "FAILED"].includes(state)) && states;
        });
        assert.ok(states.includes("DELIVERED"), states.join());
      }));
  });
}

/** What fails is told with what the application has said. */
async function explained(given, check) {
  const { app, surroundings } = given();
  try {
    await check({ app, surroundings });
  } catch (error) {
    if (app.output) console.log(app.output());
    throw error;
  }
}

async function post(url, body) {
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(url, init);
  const text = await response.text();
  assert.equal(response.status, 202, text);
  return JSON.parse(text);
}

async function statusOf({ url, method, headers, body }) {
  const response = await fetch(url, { method, headers, body });
  await response.arrayBuffer();
  return response.status;
}
