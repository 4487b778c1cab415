/** What steps are performed by: a run that remembers them, or this process alone. */
import type { Environment } from "../environment.js";
import type { WorkflowClient } from "../workflows/options.js";
import type { CallResponse, CallSettings, NotifyStepResponse, RunOptions } from "../workflows/steps.js";

/** What a step's function is told besides its input. */
export interface StepTools {
  /** Aborted when the step's time is up, or when the caller of {@link Step.execute} gives up. */
  readonly signal: AbortSignal;
  /** Tries of this step that have failed before this one, from 0. */
  readonly attempt: number;
  /** The run; absent outside of one. */
  readonly workflowRunId: string | undefined;
}

/** What a step asks for. Decorators wrap a runner in another, which changes what is asked or watches how it ends. */
export interface StepRunner {
  /** The run; absent outside of one. */
  readonly workflowRunId: string | undefined;
  /** Ends the work; absent in a run, and if nobody may. */
  readonly signal: AbortSignal | undefined;
  /** Settings: the run's, or those of the process. */
  readonly env: Environment;
  /** What stands for the step with this name. There is none in a run. */
  stub(name: string): ((asked: unknown) => unknown) | undefined;
  /** Sends messages: the run's client, or the one that was given. */
  client(): WorkflowClient | undefined;
  /** A UUID; in a run it is the same in every invocation. */
  uuid(): string;
  /**
   * Runs a function and remembers its result. `input` is what it works on, for those who watch. With `retries`, a failure
   * for good rejects; whether and when it is tried again is told by {@link RetryLater}.
   */
  run<TResult>(
    name: string,
    input: unknown,
    stepFunction: (tools: StepTools) => TResult | Promise<TResult>,
    options?: StepRunOptions<TResult>,
  ): Promise<TResult>;
  /** Waits. In a run nothing is held meanwhile. */
  sleep(name: string, milliseconds: number): Promise<void>;
  /** Makes a request. In a run the broker makes it, for up to hours. */
  call<TResult>(name: string, settings: CallSettings): Promise<CallResponse<TResult>>;
  /** Notifies the runs that wait for an event. */
  notify(name: string, eventId: string, eventData: unknown, workflowRunId?: string): Promise<NotifyStepResponse>;
}

/** What is asked of a runner for a function. */
export interface StepRunOptions<TResult> extends RunOptions<TResult> {
  /** Whether the function is told its durable try as `attempt`, because it counts the tries in place itself. */
  countsTries?: boolean | undefined;
}

/** Thrown by a step's function that is to be tried again after a time that is too long to be waited for in place. */
export class RetryLater extends Error {
  /** What the try failed with. */
  override readonly cause: unknown;
  readonly delayMs: number;

  constructor(cause: unknown, delayMs: number) {
    super(cause instanceof Error ? cause.message : String(cause));
    this.name = "RetryLater";
    this.cause = cause;
    this.delayMs = delayMs;
  }
}
