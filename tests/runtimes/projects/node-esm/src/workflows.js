import { createStep, createWorkflowEngine, defineWorkflow } from "@repo/orchestration/server";

const price = createStep("price", (quantity) => quantity * 20);
const reserve = createStep("reserve", (quantity) => `${quantity} reserved`);
const invoice = createStep("invoice", (orderId) => `invoice-${orderId}`);

/** An order: priced, reserved and invoiced at once, approved by a person, charged by the payment service. */
export const order = defineWorkflow("order", async (context) => {
  const { orderId, quantity } = context.requestPayload;
  const total = await price.run(context, quantity);
  const [stock, bill] = await Promise.all([reserve.run(context, quantity), invoice.run(context, orderId)]);
  await context.sleep("cooling off", 1);
  const { eventData } = await context.waitForEvent("approval", `order-${orderId}`, { timeout: "1h" });
  const { body } = await context.call("charge", {
    url: `${process.env.PAYMENTS_URL}/charges`,
    method: "POST",
    body: JSON.stringify({ orderId, amount: total }),
  });
  return { orderId, total, stock, invoice: bill, approvedBy: eventData.by, receipt: body.receipt };
});

export const engine = createWorkflowEngine({ workflows: [order] });
