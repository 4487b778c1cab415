import { createWorkflow, serveMany } from "@repo/orchestration/workflows/hono";

/** What starts an order. */
export interface Order {
  orderId: string;
  quantity: number;
}

const payment = createWorkflow<{ orderId: string; amount: number }, { receipt: string }>(async (context) => {
  const { body } = await context.call<{ receipt: string }>("charge", {
    url: `${process.env.PAYMENTS_URL}/charges`,
    method: "POST",
    body: JSON.stringify(context.requestPayload),
  });
  return body;
});

/** An order: priced, reserved and invoiced at once, approved by a person, paid by a workflow of its own. */
const order = createWorkflow<Order, object>(async (context) => {
  const { orderId, quantity } = context.requestPayload;
  const total = await context.run("price", () => quantity * 20);
  const [stock, invoice] = await Promise.all([
    context.run("reserve", () => `${quantity} reserved`),
    context.run("invoice", () => `invoice-${orderId}`),
  ]);
  await context.sleep("cooling off", 1);
  const { eventData } = await context.waitForEvent<{ by: string }>("approval", `order-${orderId}`, { timeout: "1h" });
  const paid = await context.invoke("payment", { workflow: payment, body: { orderId, amount: total } });
  return { orderId, total, stock, invoice, approvedBy: eventData?.by, receipt: paid.body.receipt };
});

/** Each is served under its name: `/workflows/order`, `/workflows/payment`. */
export const workflows = serveMany({ order, payment });
