/** Reads a broker's log of runs. */
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
  return log.steps.flatMap((group) => {
    if (group.type === "next") return group.steps.flatMap((step) => (step.stepName ? [failing(step)] : []));
    return group.steps.filter(({ stepType }) => stepType !== "Initial").map(stepOf);
  });
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
  return present({ name, message: message ?? name ?? otherwise, status: status || undefined });
}

/** A text that is JSON as its value. */
function parsed(text: unknown): unknown {
  if (typeof text !== "string") return text ?? undefined;
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
