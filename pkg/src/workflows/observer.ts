/** Tells the middlewares of a workflow, and the console, what happens in one invocation. */
import type { WorkflowContext } from "./context.js";
import { type DebugEvents, type LifeCycleEvents, WorkflowMiddleware } from "./middleware.js";

type Events = LifeCycleEvents<unknown> & DebugEvents;

export class Observer {
  readonly #middlewares: readonly WorkflowMiddleware[];
  /** The run, once it is known. */
  workflowRunId: string | undefined;

  constructor(middlewares: readonly WorkflowMiddleware[]) {
    this.#middlewares = middlewares;
  }

  /** Whether there is somebody to tell. */
  get isWanted(): boolean {
    return this.#middlewares.length > 0;
  }

  /** Tells of the life of a run. */
  tell<Event extends keyof LifeCycleEvents<unknown>>(
    event: Event,
    told: LifeCycleEvents<unknown>[Event],
    context: WorkflowContext,
  ): Promise<void> {
    return this.#dispatch(event, { ...told, context });
  }

  /** Executes a step's function, surrounded by the middlewares that ask for it: the first is the outermost. */
  async around(
    told: { stepName: string; attempt: number; context: WorkflowContext },
    execute: () => unknown,
  ): Promise<unknown> {
    await Promise.all(this.#middlewares.map((middleware) => middleware.ensureInit()));
    return this.#middlewares.reduceRight<() => Promise<unknown>>(
      (inner, middleware) => {
        const callback = middleware.getCallback("aroundExecution");
        return callback ? async () => callback(told, inner) : inner;
      },
      async () => execute(),
    )();
  }

  /**
   * Tells those who follow an invocation or look for a mistake. Warnings and errors go to the console too, unless it is a
   * signature that is refused: anybody can send one.
   */
  async debug<Event extends keyof DebugEvents>(event: Event, told: DebugEvents[Event]): Promise<void> {
    await this.#dispatch(event, { ...told, workflowRunId: this.workflowRunId });
    if ("warning" in told) console.warn(`[workflow] ${this.workflowRunId ?? "-"}: ${told.warning}`);
    if ("error" in told && !`${told.error?.name}`.startsWith("Signature"))
      console.error(`[workflow] ${this.workflowRunId ?? "-"}: ${told.error}`);
  }

  /** All middlewares at once. An error in one is told to that one. */
  async #dispatch(event: keyof Events, told: object): Promise<void> {
    await Promise.all(this.#middlewares.map((middleware) => middleware.ensureInit()));
    await Promise.all(
      this.#middlewares.map(async (middleware) => {
        try {
          await (middleware.getCallback(event) as ((told: object) => unknown) | undefined)?.(told);
        } catch (error) {
          await this.#complain(middleware, error);
        }
      }),
    );
  }

  async #complain(middleware: WorkflowMiddleware, thrown: unknown): Promise<void> {
    const { workflowRunId } = this;
    const error = thrown as Error;
    const onError = middleware.getCallback("onError");
    try {
      if (!onError) throw error;
      await onError({ error, ...(workflowRunId ? { workflowRunId } : {}) });
    } catch (cause) {
      console.error(`[workflow] ${workflowRunId ?? "-"}: the middleware '${middleware.name}' failed: ${error}`);
      if (cause !== error) console.error(`[workflow] its onError failed too: ${cause}`);
    }
  }
}

/** Logs every event to the console: the option `verbose`. */
export const loggingMiddleware: WorkflowMiddleware = new WorkflowMiddleware({
  name: "logging",
  callbacks: {
    runStarted: (told) => logged("run started", told),
    beforeExecution: (told) => logged("step begins", told),
    afterExecution: (told) => logged("step is done", told),
    runCompleted: (told) => logged("run completed", told),
    onInfo: ({ workflowRunId, info }) => console.info(`[workflow] ${workflowRunId ?? "-"}: ${info}`),
  },
});

function logged(event: string, { context, ...told }: { context: WorkflowContext }): void {
  console.log(`[workflow] ${context.workflowRunId}: ${event}`, told);
}
