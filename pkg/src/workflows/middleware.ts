/** Middlewares are told what happens in the invocations of a workflow. */
import { WorkflowError } from "../errors.js";
import type { WorkflowContext } from "./context.js";

/** What happens to a run, and what is told of it besides the context. */
export type LifeCycleEvents<TResult> = {
  /** A step is about to be executed by this invocation. */
  beforeExecution: { stepName: string };
  /** The result of the step that the last invocation submitted is there. */
  afterExecution: { stepName: string; result: unknown };
  /** The run's first invocation begins. */
  runStarted: object;
  /** The function has returned. */
  runCompleted: { result: TResult };
  /** The run has failed for good. Endpoints are told so if they have a `failureFunction`. */
  runFailed: { status: number; message: string };
};

/** What is told of an invocation for those who look for a mistake. */
export type DebugEvents = {
  onError: { error: Error };
  onWarning: { warning: string };
  onInfo: { info: string };
};

/** The functions of a middleware, by event. */
export type MiddlewareCallbacks<TInitialPayload, TResult> = Partial<
  {
    [Event in keyof LifeCycleEvents<TResult>]: (
      told: LifeCycleEvents<TResult>[Event] & { context: WorkflowContext<TInitialPayload> },
    ) => Promise<void> | void;
  } & {
    [Event in keyof DebugEvents]: (told: DebugEvents[Event] & { workflowRunId?: string }) => Promise<void> | void;
  }
> & {
  /**
   * Surrounds the execution of a step's function by this invocation, so that its duration can be told, and what it does be
   * traced. It has to call `execute` once, and to hand on what that gives or fails with.
   */
  aroundExecution?: (
    told: { stepName: string; attempt: number; context: WorkflowContext<TInitialPayload> },
    execute: () => Promise<unknown>,
  ) => Promise<unknown>;
};

/** A name, and functions or what makes them at the first event. */
export type MiddlewareParameters<TInitialPayload, TResult> = { name: string } & (
  | {
      init: () =>
        | Promise<MiddlewareCallbacks<TInitialPayload, TResult>>
        | MiddlewareCallbacks<TInitialPayload, TResult>;
    }
  | { callbacks: MiddlewareCallbacks<TInitialPayload, TResult> }
);

/** Functions that are called when something happens; for the option `middlewares` of `serve`. */
export class WorkflowMiddleware<TInitialPayload = unknown, TResult = unknown> {
  readonly name: string;
  readonly #init: (() => unknown) | undefined;
  #callbacks: MiddlewareCallbacks<TInitialPayload, TResult> | undefined;

  constructor(parameters: MiddlewareParameters<TInitialPayload, TResult>) {
    this.name = parameters.name;
    if ("init" in parameters) this.#init = parameters.init;
    else this.#callbacks = parameters.callbacks;
  }

  /** Makes the functions, once. */
  async ensureInit(): Promise<void> {
    if (this.#callbacks) return;
    if (!this.#init)
      throw new WorkflowError(
        `the middleware '${this.name}' has neither callbacks nor init`,
        "InvalidConfiguration",
        false,
      );
    this.#callbacks = (await this.#init()) as MiddlewareCallbacks<TInitialPayload, TResult>;
  }

  /** The function for an event, if there is one. */
  getCallback<Event extends keyof MiddlewareCallbacks<TInitialPayload, TResult>>(
    event: Event,
  ): MiddlewareCallbacks<TInitialPayload, TResult>[Event] | undefined {
    return this.#callbacks?.[event];
  }
}
