/** Attempts after failed ones: in place while the wait is short, by the broker when it is long. */
import { OrchestrationError, WorkflowCallError } from "../errors.js";
import { expected } from "../workflows/expectation.js";
import type { CallResponse, CallSettings } from "../workflows/steps.js";
import { type RetryOptions, RetryPolicy } from "./backoff.js";
import { LocalTools } from "./local.js";
import type { StepRunner, StepTools } from "./runner.js";
import { decorated, type Step } from "./step.js";

/** How often a step is tried, and when. */
export interface StepRetryOptions extends RetryOptions {
  /** Longer delays are durable in a run: nothing is held meanwhile, and each costs a message. Default: 10 s. */
  inPlaceMs?: number | undefined;
}

/**
 * A step that is tried again when it fails: `maxAttempts` times in total, and then it rejects with the last failure. In a
 * run that is a `WorkflowStepError`, which can be caught.
 *
 * Calls that the broker makes in a run are retried by it, with the same delays but without jitter. What retries already is
 * repeated as a whole.
 *
 * ```ts
 * const robust = withStepRetry(createStep("download", download), { maxAttempts: 5, backoffMs: 1000, maxBackoffMs: 3_600_000 });
 * ```
 *
 * @throws {OrchestrationError} `InvalidConfiguration` that names the option
 */
export function withStepRetry<TInput, TOutput>(
  step: Step<TInput, TOutput>,
  options: StepRetryOptions = {},
): Step<TInput, TOutput> {
  const policy = new RetryPolicy(options, options.inPlaceMs);
  // Around durable tries there is nothing in place: each of its attempts is a series of them.
  const around = new RetryPolicy(options, 0);
  return decorated(step, (runner) => retrying(runner, policy, around));
}

function retrying(runner: StepRunner, policy: RetryPolicy, around: RetryPolicy): StepRunner {
  return {
    ...runner,
    run: (name, input, stepFunction, options = {}) => {
      const { retries = 0, countsTries = false } = options;
      const series = retries + 1;
      const own = retries > 0 ? around : policy;
      return runner.run(
        name,
        input,
        (tools) => {
          const before = Math.floor(tools.attempt / series);
          let inner = tools.attempt % series;
          const attempted = (failures: number) => {
            const attempt = countsTries ? inner : failures;
            inner = 0;
            return stepFunction(attempt === tools.attempt ? tools : new CountedTools(tools, attempt));
          };
          return own.attempts(attempted, tools instanceof LocalTools ? { signal: tools.known } : tools, before);
        },
        { ...options, retries: (own.durableRetries + 1) * series - 1, countsTries: true },
      );
    },
    call: (name, settings) =>
      runner.workflowRunId === undefined
        ? calledHere(runner, policy, name, settings)
        : runner.call(name, retriedByBroker(policy, name, settings)),
  };
}

/** The same tools for another attempt. Their signal is made when it is asked for. */
class CountedTools implements StepTools {
  readonly attempt: number;
  readonly workflowRunId: string | undefined;
  readonly #tools: StepTools;

  constructor(tools: StepTools, attempt: number) {
    this.attempt = attempt;
    this.workflowRunId = tools.workflowRunId;
    this.#tools = tools;
  }

  get signal(): AbortSignal {
    return this.#tools.signal;
  }
}

/** The broker makes the call, and tries again. */
function retriedByBroker(policy: RetryPolicy, name: string, settings: CallSettings): CallSettings {
  if (policy.isConditional)
    throw new OrchestrationError(
      `the broker makes and retries the call '${name}', so retryIf can't be asked: make it by fetch in a createStep`,
      "Unsupported",
    );
  return { retries: policy.maxAttempts - 1, retryDelay: policy.expression, ...settings };
}

/** Tries again what the broker would: answers other than 2xx, unless they are expected. */
async function calledHere<TResult>(
  runner: StepRunner,
  policy: RetryPolicy,
  name: string,
  { expect, ...settings }: CallSettings,
): Promise<CallResponse<TResult>> {
  let last: CallResponse<TResult> | undefined;
  try {
    return await policy.attempts(
      async () => {
        last = await runner.call<TResult>(name, settings);
        return expected(name, last, expect ?? "2xx") as CallResponse<TResult>;
      },
      runner,
      0,
      (error) => error instanceof WorkflowCallError,
    );
  } catch (error) {
    if (expect === undefined && last && error instanceof WorkflowCallError) return last;
    throw error;
  }
}
