import { serve, type WorkflowBindings } from "@repo/orchestration/workflows/cloudflare";

/** What is bound to the Worker. */
export interface Env extends WorkflowBindings {
  PAYMENTS_URL: string;
}

/** What starts an order. */
export interface Order {
  orderId: string;
  quantity: number;
}

/** An order: priced, reserved and invoiced at once, approved by a person, charged by the payment service. */
export const order = serve<Order, object, Env>(async (context) => {
  const { orderId, quantity } = context.requestPayload;
  const total = await context.run("price", () => quantity * 20);
  const [stock, invoice] = await Promise.all([
    context.run("reserve", () => `${quantity} reserved`),
    context.run("invoice", () => `invoice-${orderId}`),
  ]);
  await context.sleep("cooling off", 1);
  const { eventData } = await context.waitForEvent<{ by: string }>("approval", `order-${orderId}`, { timeout: "1h" });
  const { body } = await context.call<{ receipt: string }>("charge", {
    url: `${context.platform.env.PAYMENTS_URL}/charges`,
    method: "POST",
    body: JSON.stringify({ orderId, amount: total }),
  });
  return { orderId, total, stock, invoice, approvedBy: eventData?.by, receipt: body.receipt };
});
