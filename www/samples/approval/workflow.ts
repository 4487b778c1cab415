import type { WorkflowContext } from "@repo/orchestration/workflows";
import { enter } from "../services";

export interface Expense {
  purpose: string;
  amount: number;
  /** How long a decision may take, such as `7d`. */
  patience: string;
}

export interface Decision {
  isApproved: boolean;
  by: string;
}

export async function approval(context: WorkflowContext<Expense>) {
  const { purpose: text, amount, patience } = context.requestPayload;
  await context.run("submit", () => enter(context, { kind: "expense", text, amount }));

  const { timeout, eventData } = await context.waitForEvent<Decision>("decision", "expense-decided", {
    timeout: patience,
  });
  if (timeout) {
    await context.run("expire", () => enter(context, { kind: "expired", text }));
    return { outcome: "expired" };
  }
  if (!eventData.isApproved) {
    await context.run("reject", () => enter(context, { kind: "rejection", text: `${text}, by ${eventData.by}` }));
    return { outcome: "rejected", by: eventData.by };
  }
  await context.run("pay", () => enter(context, { kind: "refund", text: `${text}, by ${eventData.by}`, amount }));
  return { outcome: "approved", by: eventData.by };
}
