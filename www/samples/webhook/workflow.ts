import { createWorkflowEngine, defineWorkflow } from "@repo/orchestration/server/next";
import { webhookTrigger } from "@repo/orchestration/triggers";
import type { WorkflowContext } from "@repo/orchestration/workflows";
import { enter } from "../services";

/** What GitHub sends for the event `issues`, as far as it is used. */
interface IssueEvent {
  action: string;
  issue: { number: number; title: string };
}

interface Issue {
  number: number;
  title: string;
}

const intake = defineWorkflow("intake", async (context: WorkflowContext<Issue>) => {
  const { number, title } = context.requestPayload;
  const priority = await context.run("triage", () => (/crash|lost|urgent/i.test(title) ? "high" : "normal"));
  const ticket = await context.run("file", () =>
    enter(context, { kind: "ticket", text: `#${number} ${title} (${priority})` }),
  );
  return { ticket: ticket.id, priority };
});

/** The webhook's address is `triggers/github` below the engine's. A delivery that comes twice starts one run. */
const opened = webhookTrigger({
  name: "github",
  workflow: intake,
  preset: "github",
  secret: () => process.env.GITHUB_WEBHOOK_SECRET || process.env.SAMPLES_KEY,
  accept: ({ action }: IssueEvent, request) =>
    request.headers.get("x-github-event") === "issues" && action === "opened",
  map: ({ issue }) => ({ number: issue.number, title: issue.title }),
  run: { label: "sample-webhook" },
});

/** @param url  where its route is */
export const engineAt = (url: string) => createWorkflowEngine({ url, workflows: [intake], triggers: [opened] });
