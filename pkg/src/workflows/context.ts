/** What a workflow's function is given. */
import type { Environment } from "../environment.js";

/** A step's function. Its result is remembered as JSON. */
export type StepFunction<TResult> = () => TResult | Promise<TResult>;

/** How a context asks for steps. A step that this invocation does not settle gives a promise that stays pending. */
export interface Steps {
  run(name: string, stepFunction: StepFunction<unknown>): Promise<unknown>;
  sleep(name: string, duration: number | string): Promise<void>;
  sleepUntil(name: string, moment: Date | string | number): Promise<void>;
  cancel(): Promise<void>;
}

/** What is known of the run. */
export interface RunFacts<TInitialPayload> {
  requestPayload: TInitialPayload;
  workflowRunId: string;
  workflowRunCreatedAt: number;
  url: string;
  headers: Headers;
  env: Environment;
  labels: string[];
  retried: number;
  platform: unknown;
}

/**
 * The context of a run: its payload, and the steps that it can ask for.
 *
 * The function runs once per invocation, up to the first step without a remembered result. Nothing is thrown into it to
 * stop it there, so `try`/`catch`/`finally` around a step are safe.
 */
export class WorkflowContext<TInitialPayload = unknown, TPlatform = unknown> {
  /** The payload that the run was started with. */
  readonly requestPayload: TInitialPayload;
  /** The run's id, `wfr_…`. */
  readonly workflowRunId: string;
  /** When the run was created, in Unix milliseconds; `NaN` or 0 while the broker has not said. */
  readonly workflowRunCreatedAt: number;
  /** The URL that the run's steps are submitted for. */
  readonly url: string;
  /** The headers of the request that started the run. */
  readonly headers: Headers;
  /** The option `env` of `serve`, or what stands for it. */
  readonly env: Environment;
  /** The run's labels. */
  readonly labels: string[];
  /** How many tries of this delivery came before. */
  readonly retried: number;
  /**
   * What the platform hands to a handler with every request, as the adapter types it: `{ request, env, ctx }` on Workers,
   * Hono's `c`, SvelteKit's event, Express's `{ req, res }`. It is that of this invocation, so use it inside of steps only.
   */
  readonly platform: TPlatform;

  readonly #steps: Steps;

  /** @internal */
  constructor(facts: RunFacts<TInitialPayload>, steps: Steps) {
    this.requestPayload = facts.requestPayload;
    this.workflowRunId = facts.workflowRunId;
    this.workflowRunCreatedAt = facts.workflowRunCreatedAt;
    this.url = facts.url;
    this.headers = facts.headers;
    this.env = facts.env;
    this.labels = facts.labels;
    this.retried = facts.retried;
    this.platform = facts.platform as TPlatform;
    this.#steps = steps;
  }

  /** The first label. */
  get label(): string | undefined {
    return this.labels[0];
  }

  /**
   * Runs a function once and remembers its result. Steps asked for together, with `Promise.all`, run in parallel.
   *
   * @param stepName names the step in logs and in errors; keep it when the code around it changes
   */
  run<TResult>(stepName: string, stepFunction: StepFunction<TResult>): Promise<TResult> {
    return this.#steps.run(stepName, stepFunction) as Promise<TResult>;
  }

  /**
   * Sleeps without holding anything: the broker starts the next invocation when the time has come.
   *
   * @param duration seconds, or a duration such as `1d10h`
   */
  sleep(stepName: string, duration: number | string): Promise<void> {
    return this.#steps.sleep(stepName, duration);
  }

  /**
   * Sleeps until a moment.
   *
   * @param moment a date, Unix seconds, or a text that `Date` can read
   */
  sleepUntil(stepName: string, moment: Date | string | number): Promise<void> {
    return this.#steps.sleepUntil(stepName, moment);
  }

  /** Ends the run as cancelled. The promise stays pending: nothing after it runs. */
  cancel(): Promise<void> {
    return this.#steps.cancel();
  }
}
