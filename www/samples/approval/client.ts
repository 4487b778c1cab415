import { Client } from "@repo/orchestration/workflows";
import type { Decision, Expense } from "./workflow";

export const requestApproval = (url: string, expense: Expense) =>
  new Client().trigger({ url, body: expense, label: "sample-approval" });

/** With the run's id the event is for this run alone, also if it comes before the run waits. */
export const decide = (workflowRunId: string, decision: Decision) =>
  new Client().notify({ eventId: "expense-decided", eventData: decision, workflowRunId });
