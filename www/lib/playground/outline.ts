/** A workflow as far as a run's log tells of it: its steps in order, and the code that asks for such steps. */
import type { Run, StepLog } from "../broker/types";

/** Steps that are asked for at once: one, or the branches of a parallel group. */
export interface StepGroup {
  steps: StepLog[];
}

/** How the run went on after its last group, if it did not end. */
export interface Unfinished {
  /** Known if the step failed before. */
  stepName?: string;
  state: string;
  error?: string;
}

export interface Outline {
  payload: string;
  groups: StepGroup[];
  unfinished?: Unfinished;
  /** What the function returned, as JSON. */
  response?: string;
}

/** @throws {Error} that says what is missing, for a value that is no run of a log */
export function outlineOf(value: unknown): Outline {
  const run = runOf(value);
  const groups = run.steps.filter((group) => group.type !== "next").map(({ steps }) => ({ steps: steps as StepLog[] }));
  const [first, ...rest] = groups;
  if (first?.steps[0]?.stepType !== "Initial") throw new Error("the first of “steps” has to be the Initial step");
  const next = run.steps.find((group) => group.type === "next")?.steps[0];
  return {
    payload: textOf(first.steps[0].out) ?? "",
    groups: rest,
    ...(run.workflowRunResponse === undefined ? {} : { response: run.workflowRunResponse }),
    ...(next
      ? {
          unfinished: {
            state: next.state,
            ...(next.stepName ? { stepName: next.stepName } : {}),
            ...(next.errors?.[0] ? { error: messageOf(next.errors[0]) } : {}),
          },
        }
      : {}),
  };
}

/** A run, or the answer of `/v2/workflows/logs` with one in it. */
function runOf(value: unknown): Run {
  const given = value as (Run & { runs?: Run[] }) | null;
  const run = Array.isArray(given?.runs) ? given.runs[0] : given;
  if (typeof run !== "object" || run === null || !Array.isArray(run.steps)) {
    throw new Error("expected the JSON of a run as /v2/workflows/logs has it: an object with “steps”");
  }
  return run;
}

function messageOf({ error, body }: { error?: string; body?: string }): string {
  try {
    const { message } = JSON.parse(body ?? "") as { message?: string };
    if (message) return message;
  } catch {
    // No JSON: the error stands for itself.
  }
  return error ?? body ?? "it failed";
}

/** The text of a result: brokers tell it as text, some parse what is JSON. */
export function textOf(out: unknown): string | undefined {
  if (out === undefined || out === null) return undefined;
  return typeof out === "string" ? out : JSON.stringify(out);
}

export interface Line {
  code: string;
  /** The step that it asks for. */
  stepId?: number;
}

/** What a workflow with these steps looks like. */
export function codeOf({ groups, unfinished, response }: Outline): Line[] {
  const lines: Line[] = [{ code: "async (context) => {" }];
  for (const { steps } of groups) {
    const [only] = steps;
    if (steps.length === 1 && only) lines.push({ code: `  await ${callOf(only)};`, stepId: idOf(only) });
    else {
      lines.push({ code: "  await Promise.all([" });
      for (const step of steps) lines.push({ code: `    ${callOf(step)},`, stepId: idOf(step) });
      lines.push({ code: "  ]);" });
    }
  }
  if (response !== undefined) lines.push({ code: `  return ${short(response)};`, stepId: RETURN });
  else if (unfinished) {
    const name = unfinished.stepName ? `“${unfinished.stepName}”` : "the next step";
    lines.push({
      code: `  // ${name}: ${unfinished.error ?? WORDS[unfinished.state] ?? unfinished.state}`,
      stepId: RETURN,
    });
  }
  lines.push({ code: "}" });
  return lines;
}

/** Stands for what comes after all steps. */
export const RETURN = -1;

const WORDS: Record<string, string> = {
  STEP_PROGRESS: "not there yet",
  STEP_RETRY: "failed, and is tried again",
  STEP_FAILED: "failed",
  STEP_CANCELED: "canceled",
};

export const idOf = ({ stepId }: StepLog): number => stepId ?? 0;

function callOf(step: StepLog): string {
  const name = JSON.stringify(step.stepName);
  switch (step.stepType) {
    case "SleepFor":
      return `context.sleep(${name}, ${JSON.stringify(step.sleepFor)})`;
    case "SleepUntil":
      return `context.sleepUntil(${name}, ${JSON.stringify(step.sleepUntil)})`;
    case "Call":
      return `context.call(${name}, { url: ${JSON.stringify(step.callUrl ?? "…")} })`;
    case "Wait":
      return `context.waitForEvent(${name}, ${JSON.stringify(step.waitEventId ?? "…")})`;
    case "WaitForWebhook":
      return `context.waitForWebhook(${name}, webhook)`;
    case "CreateWebhook":
      return `context.createWebhook(${name})`;
    case "Notify":
      return `context.notify(${name}, …)`;
    case "Invoke":
      return `context.invoke(${name}, …)`;
    default:
      return `context.run(${name}, …)`;
  }
}

const short = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text);
