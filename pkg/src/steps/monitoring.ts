/** Steps that are watched. */
import type { MetricsRegistry } from "../monitoring/metrics.js";
import { type Telemetry, traced } from "../monitoring/telemetry.js";
import { timed } from "../monitoring/timing.js";
import { stepLabel, workflowInstruments } from "../monitoring/workflow-metrics.js";
import { RetryLater, type StepRunner } from "./runner.js";
import { decorated, type Step } from "./step.js";

/** A try of a step. */
export interface StepTry {
  stepName: string;
  input: unknown;
  /** Tries that have failed before. */
  attempt: number;
  workflowRunId: string | undefined;
}

/** Who is told of the tries of a step. What they throw is logged and changes nothing. */
export interface StepMonitoringOptions {
  onStart?: ((started: StepTry) => unknown) | undefined;
  onSuccess?: ((ended: StepTry & { output: unknown; durationMs: number }) => unknown) | undefined;
  onError?: ((ended: StepTry & { error: unknown; durationMs: number; willRetry: boolean }) => unknown) | undefined;
  /** Counts tries and their durations, as `orchestration_step_duration_seconds`. */
  metrics?: MetricsRegistry | undefined;
  /** Where spans go; `true` for OpenTelemetry if the application has registered it. Default: nowhere. */
  telemetry?: Telemetry | undefined;
}

/**
 * A step whose tries are told of, counted and traced. What the broker does in a run, calls and sleep, is not seen.
 *
 * Outside of `withStepRetry` it sees durable tries, inside of it each attempt.
 */
export function withStepMonitoring<TInput, TOutput>(
  step: Step<TInput, TOutput>,
  options: StepMonitoringOptions,
): Step<TInput, TOutput> {
  const watch = watcher(options);
  return decorated(step, (runner) => ({
    ...runner,
    run: (name, input, stepFunction, runOptions) =>
      runner.run(
        name,
        input,
        (tools) => {
          const { attempt, workflowRunId } = tools;
          return watch({ stepName: name, input, attempt, workflowRunId }, async () => stepFunction(tools));
        },
        runOptions,
      ),
    ...(runner.workflowRunId === undefined ? here(runner, watch) : {}),
  }));
}

type Watch = <T>(about: StepTry, work: () => Promise<T>) => Promise<T>;

/** Outside of a run, calls and waits are this process's too. */
const here = (runner: StepRunner, watch: Watch): Pick<StepRunner, "call" | "sleep"> => ({
  call: (name, settings) => watch(about(name, settings), () => runner.call(name, settings)),
  sleep: (name, milliseconds) => watch(about(name, milliseconds), () => runner.sleep(name, milliseconds)),
});

const about = (stepName: string, input: unknown): StepTry => ({
  stepName,
  input,
  attempt: 0,
  workflowRunId: undefined,
});

function watcher({ onStart, onSuccess, onError, metrics, telemetry = false }: StepMonitoringOptions): Watch {
  const steps = metrics && workflowInstruments(metrics).steps;
  return async (about, work) => {
    const { stepName: step, attempt, workflowRunId } = about;
    const attributes = {
      "orchestration.step.name": step,
      "orchestration.step.attempt": attempt,
      ...(workflowRunId ? { "orchestration.run.id": workflowRunId } : {}),
    };
    let durationMs = 0;
    await told(step, onStart, about);
    try {
      const output = await traced(telemetry, `step ${step}`, attributes, () =>
        timed(work, (seconds, outcome) => {
          durationMs = seconds * MILLISECONDS;
          steps?.observe(seconds, { step: stepLabel(step), outcome });
        }),
      );
      await told(step, onSuccess, { ...about, output, durationMs });
      return output;
    } catch (thrown) {
      const willRetry = thrown instanceof RetryLater;
      const error = willRetry ? thrown.cause : thrown;
      await told(step, onError, { ...about, error, durationMs, willRetry });
      throw thrown;
    }
  };
}

/** Who watches must not change what happens. */
async function told<T>(step: string, hook: ((event: T) => unknown) | undefined, event: T): Promise<void> {
  try {
    await hook?.(event);
  } catch (error) {
    console.error(`[step] a hook that monitors '${step}' failed: ${error}`);
  }
}

const MILLISECONDS = 1_000;
