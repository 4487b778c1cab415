/** Performs steps in a run. */
import { WorkflowNonRetryableError, WorkflowRetryAfterError, WorkflowStepError } from "../errors.js";
import type { WorkflowContext } from "../workflows/context.js";
import { RetryLater, type StepRunner, type StepTools } from "./runner.js";

const MILLISECONDS = 1_000;

/** Steps of the run that `context` is of. Their names are those of the run's history. */
export function durableRunner(context: WorkflowContext): StepRunner {
  const { workflowRunId } = context;
  return {
    workflowRunId,
    signal: undefined,
    env: context.env,
    stub: () => undefined,
    client: () => context.qstashClient,
    uuid: () => context.uuid(),
    run: (name, _input, stepFunction, { countsTries: _, ...options } = {}) =>
      context.run(
        name,
        async (given) => {
          const tools: StepTools = { ...given, workflowRunId };
          if (options.retries === undefined) return stepFunction(tools);
          try {
            return await stepFunction(tools);
          } catch (error) {
            throw ending(name, error);
          }
        },
        options,
      ),
    sleep: (name, milliseconds) => context.sleep(name, Math.ceil(milliseconds / MILLISECONDS)),
    call: (name, settings) => context.call(name, settings),
    notify: (name, eventId, eventData, runId) => context.notify(name, eventId, eventData, runId),
  };
}

/** What tells the engine how a try has ended: wait and try again, or reject the step with this failure. */
function ending(step: string, error: unknown): Error {
  if (error instanceof RetryLater) {
    const later = new WorkflowRetryAfterError(error.message, Math.ceil(error.delayMs / MILLISECONDS));
    return Object.assign(later, { cause: error.cause });
  }
  if (error instanceof WorkflowStepError) return error;
  if (!(error instanceof Error)) return new WorkflowNonRetryableError(String(error));
  return new WorkflowStepError(step, { name: error.name, message: error.message, stack: error.stack });
}
