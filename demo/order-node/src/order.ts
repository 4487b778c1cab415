import { serve, WorkflowNonRetryableError } from "@repo/orchestration/workflows";

/** What starts an order. */
export interface Order {
  orderId: string;
  /** The ledger, where each step tells that it runs. */
  ledgerUrl: string;
  /** How long the order waits for the parcel. */
  sleepSeconds: number;
}

/** The order workflow. Its twin in Rust does the same. */
export const { handler } = serve<Order>(async (context) => {
  const { orderId, ledgerUrl, sleepSeconds } = context.requestPayload;

  /** Tells the ledger that a step runs. */
  const record = async (step: string) => {
    const attempt = context.retried + 1;
    const response = await fetch(`${ledgerUrl}/steps`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ runId: context.workflowRunId, step, attempt, language: "typescript" }),
    });
    if (!response.ok) throw new Error(`the ledger refused the step '${step}' with status ${response.status}`);
    return (await response.json()) as { entry: number };
  };

  await context.run("validate", async () => {
    if (!orderId) throw new WorkflowNonRetryableError("orderId: expected a text that is not empty");
    return record("validate");
  });
  const charged = await context.run("charge", () => record("charge"));
  await Promise.all([context.run("reserve", () => record("reserve")), context.run("email", () => record("email"))]);
  await context.sleep("wait for the parcel", sleepSeconds);
  await context.run("ship", () => record("ship"));

  return { orderId, receipt: `receipt-${charged.entry}`, shipped: true };
});
