import type { WorkflowContext } from "@repo/orchestration/workflows";
import { enter, reserve } from "../services";

export interface Order {
  item: string;
  quantity: number;
  /** So many tries of the payment fail. */
  failures: number;
}

export async function order(context: WorkflowContext<Order>) {
  const { item, quantity, failures } = context.requestPayload;
  const text = `${quantity} × ${item}`;
  const { price } = await context.run("reserve", () => reserve(context, item, quantity));
  const amount = price * quantity;

  // Asked for together, they run in parallel, each in an invocation of its own.
  const [payment] = await Promise.all([
    context.run("charge", () => enter(context, { kind: "payment", text, amount, failures }), {
      retries: 5,
      retryDelay: "1s",
    }),
    context.run("invoice", () => enter(context, { kind: "invoice", text, amount })),
  ]);

  await context.sleep("wait for the parcel service", "2s"); // nothing is running meanwhile
  const parcel = await context.run("ship", () => enter(context, { kind: "parcel", text }));
  return { amount, payment: payment.id, parcel: parcel.id };
}
