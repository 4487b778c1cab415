/** Reads a broker's log of runs. */

import { jsonOrText } from "../json.js";
import { maskText } from "../privacy/mask.js";
import type { NextStepLog, StepError, StepLog, WorkflowRunLog } from "../workflows/client-logs.js";
import { workflowIdIn } from "./address.js";
import { present } from "./present.js";
import { spanOf, type TimedStepLog } from "./spans.js";
import type {
  WorkflowExecution,
  WorkflowFailure,
  WorkflowStatus,
  WorkflowStepExecution,
  WorkflowStepStatus,
} from "./types.js";

type RunState = WorkflowRunLog["workflowState"];

/** The states of a broker's log in which a run is that has this status. */
export const STATES: Record<WorkflowStatus, RunState> = {
  pending: "RUN_STARTED",
  running: "RUN_STARTED",
  completed: "RUN_SUCCESS",
  failed: "RUN_FAILED",
  cancelled: "RUN_CANCELED",
};

/** What a broker's log tells of a run. */
export function executionOf(log: WorkflowRunLog, provider: string): WorkflowExecution {
  const { workflowRunId, workflowUrl, workflowRunCreatedAt: startedAt, workflowRunCompletedAt: completedAt } = log;
  const steps = stepsOf(log);
  const status = statusOf(log, steps);
  return present({
    workflowRunId,
    workflowId: workflowIdIn(workflowUrl),
    provider,
    status,
    startedAt,
    completedAt,
    durationMs: completedAt === undefined ? undefined : completedAt - startedAt,
    labels: log.labels ?? (log.label ? [log.label] : []),
    output: status === "completed" ? parsed(log.workflowRunResponse) : undefined,
    error: status === "failed" ? failureOf(log, steps) : undefined,
    steps: status === "cancelled" ? steps.map((step) => givenUp(step, completedAt)) : steps,
  });
}

const ENDED: Partial<Record<RunState, WorkflowStatus>> = {
  RUN_SUCCESS: "completed",
  RUN_FAILED: "failed",
  RUN_CANCELED: "cancelled",
};

function statusOf(log: WorkflowRunLog, steps: WorkflowStepExecution[]): WorkflowStatus {
  const tried = log.steps.some((group) => group.type === "next" && group.steps.some(({ errors }) => errors?.length));
  return ENDED[log.workflowState] ?? (steps.length > 0 || tried ? "running" : "pending");
}

/** The steps that have a name. What comes next has none until it failed. */
function stepsOf(log: WorkflowRunLog): WorkflowStepExecution[] {
  const steps = log.steps.flatMap((group) => {
    if (group.type === "next") return group.steps.flatMap((step) => (step.stepName ? [failing(step)] : []));
    return group.steps.filter(({ stepType }) => stepType !== "Initial").map(stepOf);
  });
  return joined(steps);
}

/** Tries of one step, which the broker keeps as a step each, as one. */
function joined(steps: WorkflowStepExecution[]): WorkflowStepExecution[] {
  const all: WorkflowStepExecution[] = [];
  /** Where steps are that another try of follows. */
  const trying = new Map<string, number>();
  for (const step of steps) {
    const place = trying.get(step.name);
    trying.delete(step.name);
    const before = place === undefined ? undefined : all[place];
    const merged = before ? after(before, step) : step;
    const at = place ?? all.length;
    all[at] = merged;
    if (merged.status === "retrying" && merged.type === "Run") trying.set(merged.name, at);
  }
  return all;
}

function after(before: WorkflowStepExecution, step: WorkflowStepExecution): WorkflowStepExecution {
  const { completedAt } = step;
  const startedAt = before.startedAt ?? step.startedAt;
  const durationMs = startedAt === undefined || completedAt === undefined ? undefined : completedAt - startedAt;
  return present({ ...step, startedAt, durationMs, attempts: before.attempts + step.attempts });
}

const STATUS: Record<StepLog["state"] | NextStepLog["state"], WorkflowStepStatus> = {
  STEP_PROGRESS: "running",
  STEP_SUCCESS: "completed",
  STEP_RETRY: "retrying",
  STEP_FAILED: "failed",
  STEP_CANCELED: "cancelled",
};

type FullStepLog = TimedStepLog & { attempts?: number; errors?: StepError[] };

function stepOf(log: FullStepLog): WorkflowStepExecution {
  const recorded = recordedFailure(log.out);
  if (recorded) return failedTry(log, recorded);
  const status = STATUS[log.state] ?? "running";
  const { startedAt, completedAt } = spanOf(log, status === "completed");
  return present({
    name: log.stepName,
    type: log.stepType,
    status,
    attempts: log.attempts ?? (log.retries ?? 0) + 1,
    startedAt,
    completedAt,
    durationMs: startedAt === undefined || completedAt === undefined ? undefined : completedAt - startedAt,
    output: status === "completed" ? outputOf(log) : undefined,
    error: told(log.errors),
  });
}

/** A try that has failed: as a sleep if another follows, else as the step's result. The workflow may have caught it. */
function failedTry(log: FullStepLog, error: WorkflowFailure): WorkflowStepExecution {
  const startedAt = log.startedAt ?? log.createdAt;
  const failed = { name: log.stepName, type: "Run", attempts: 1, startedAt, error };
  if (log.stepType !== "Run") return { ...failed, status: "retrying" };
  const completedAt = log.createdAt;
  return { ...failed, status: "failed", completedAt, durationMs: completedAt - startedAt };
}

/** How `src/workflow/retry.rs` writes the failure of a step's own try. Its stack stays where it is. */
function recordedFailure(out: unknown): WorkflowFailure | undefined {
  const recorded = parsed(out) as { "orchestration:failure"?: { name: string; message: string } } | null | undefined;
  if (typeof recorded !== "object" || recorded === null) return undefined;
  const failed = recorded["orchestration:failure"];
  if (typeof failed?.message !== "string" || Object.keys(recorded).length !== 1) return undefined;
  const name = failed.name === "WorkflowRetryAfterError" ? undefined : failed.name;
  return present({ name, message: maskText(failed.message) });
}

/** What calls and invocations were answered has a body, which the workflow sees parsed too. */
function outputOf({ out, stepType }: FullStepLog): unknown {
  const output = parsed(out);
  const isAnswer = ANSWERED.has(stepType) && typeof output === "object" && output !== null && "body" in output;
  return isAnswer ? { ...output, body: parsed(output.body) } : output;
}

const ANSWERED = new Set(["Call", "Invoke"]);

function failing({ stepName = "", state, retries, errors }: NextStepLog): WorkflowStepExecution {
  const times = errors?.map(({ time }) => time) ?? [];
  return present({
    name: stepName,
    type: "Run",
    status: STATUS[state] ?? "running",
    attempts: Math.max(errors?.length ?? 0, state === "STEP_FAILED" ? retries + 1 : retries, 1),
    startedAt: times.length > 0 ? Math.min(...times) : undefined,
    completedAt: state === "STEP_FAILED" && times.length > 0 ? Math.max(...times) : undefined,
    error: told(errors),
  });
}

/** In a run that was cancelled nothing goes on, and a sleep that would still last is not over. */
function givenUp({ completedAt, durationMs, ...step }: WorkflowStepExecution, at = Infinity): WorkflowStepExecution {
  const isOver = step.status !== "running" && step.status !== "retrying" && (completedAt ?? 0) <= at;
  return isOver ? present({ ...step, completedAt, durationMs }) : { ...step, status: "cancelled" };
}

function failureOf(log: WorkflowRunLog, steps: WorkflowStepExecution[]): WorkflowFailure {
  const next = log.steps.flatMap((group) => (group.type === "next" ? group.steps : []));
  const tried = next.filter(({ errors }) => errors?.length);
  const last = tried.filter(({ state }) => state === "STEP_FAILED").at(-1) ?? tried.at(-1);
  const { failureFunction } = log;
  return (
    told(last?.errors) ??
    steps.filter(({ status, error }) => status === "failed" && error).at(-1)?.error ??
    (failureFunction?.failResponse ? failure(failureFunction.failResponse, failureFunction.failStatus) : undefined) ?? {
      message: (log as { error?: string }).error ?? "the broker does not tell why the run failed",
    }
  );
}

/** What the last of several tries failed with. */
function told(errors: StepError[] | undefined): WorkflowFailure | undefined {
  const last = errors?.at(-1);
  return last && failure(last.body, last.status, last.error);
}

/** The body of an endpoint's answer: JSON, if it is one of ours or of the official SDK. */
function failure(body: string, status: number, otherwise = "the endpoint's answer tells no reason"): WorkflowFailure {
  const answer = parsed(body) as { error?: unknown; message?: unknown } | null;
  const text = (value: unknown) => (typeof value === "string" && value ? value : undefined);
  const message = typeof answer === "object" && answer ? text(answer.message) : text(answer);
  const name = typeof answer === "object" && answer ? text(answer.error) : undefined;
  return present({ name, message: maskText(message ?? name ?? otherwise), status: status || undefined });
}

/** A text that is JSON as its value. */
function parsed(text: unknown): unknown {
  if (typeof text !== "string") return text ?? undefined;
  if (text === "") return undefined;
  return jsonOrText(text);
}
