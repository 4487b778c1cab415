"use strict";

// The adapters for Express fit every server whose handlers are (request, response).
const { serve } = require("@repo/orchestration/workflows/express");

/** An order: priced, reserved and invoiced at once, approved by a person, charged by the payment service. */
module.exports = serve(async (context) => {
  const { orderId, quantity } = context.requestPayload;
  const total = await context.run("price", () => quantity * 20);
  const [stock, invoice] = await Promise.all([
    context.run("reserve", () => `${quantity} reserved`),
    context.run("invoice", () => `invoice-${orderId}`),
  ]);
  await context.sleep("cooling off", 1);
  const { eventData } = await context.waitForEvent("approval", `order-${orderId}`, { timeout: "1h" });
  const { body } = await context.call("charge", {
    url: `${process.env.PAYMENTS_URL}/charges`,
    method: "POST",
    body: JSON.stringify({ orderId, amount: total }),
  });
  return { orderId, total, stock, invoice, approvedBy: eventData.by, receipt: body.receipt };
});
