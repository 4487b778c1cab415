/** What a workflow's function is given. */
import type { Environment } from "../environment.js";
import { WorkflowApi } from "./api.js";
import type { WorkflowClient } from "./options.js";
import {
  callStep,
  createWebhookStep,
  invokeStep,
  notifyStep,
  patchStep,
  runStep,
  type StepRequest,
  sleepStep,
  sleepUntilStep,
  waitForWebhookStep,
  waitStep,
} from "./request.js";
import type {
  CallResponse,
  CallSettings,
  InvokeStepResponse,
  LazyInvokeStepParams,
  NotifyStepResponse,
  RunOptions,
  StepFunction,
  StepTools,
  WaitEventOptions,
  WaitForWebhookResponse,
  WaitStepResponse,
  Webhook,
  WorkflowCallSettings,
} from "./steps.js";

/** @internal How a context asks for steps. A step that this invocation does not settle gives a promise that stays pending. */
export interface Steps {
  /** `make` may throw: then the step rejects. */
  ask(make: () => StepRequest): Promise<unknown>;
  cancel(): Promise<void>;
  random(): number;
  uuid(): string;
  now(): number;
}

/** @internal What is known of the run. */
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
  invokeCount: number;
  qstashClient: WorkflowClient;
}

/**
 * The context of a run: its payload, and the steps that it can ask for.
 *
 * The function runs once per invocation, up to the first step without a remembered result. Nothing is thrown into it to
 * stop it there, so `try`/`catch`/`finally` around a step are safe. Steps asked for together, with `Promise.all`, run in
 * parallel; `Promise.race` and `Promise.any` decide in every invocation as they did at first.
 */
export class WorkflowContext<TInitialPayload = unknown, TPlatform = unknown> {
  /** The payload that the run was started with. */
  readonly requestPayload: TInitialPayload;
  /** The run's id, `wfr_…`. */
  readonly workflowRunId: string;
  /** When the run was created, in Unix milliseconds; 0 while the broker has not said. */
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
  /** How deep the run is nested by {@link invoke}. */
  readonly invokeCount: number;
  /** The client that steps are submitted through. What it sends is not remembered: use it inside of {@link run}. */
  readonly qstashClient: WorkflowClient;

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
    this.invokeCount = facts.invokeCount;
    this.qstashClient = facts.qstashClient;
    this.#steps = steps;
  }

  /** The first label. */
  get label(): string | undefined {
    return this.labels[0];
  }

  /** Calls of OpenAI, Anthropic and Resend. */
  get api(): WorkflowApi {
    return new WorkflowApi((stepName, settings) => this.#steps.ask(() => callStep(stepName, settings)));
  }

  /**
   * Runs a function once and remembers its result.
   *
   * @param stepName names the step in logs and in errors; keep it when the code around it changes
   */
  run<TResult>(stepName: string, stepFunction: StepFunction<TResult>): Promise<TResult>;
  run<TResult>(
    stepName: string,
    stepFunction: (tools: StepTools) => TResult | Promise<TResult>,
    options: RunOptions<TResult>,
  ): Promise<TResult>;
  run<TResult>(
    stepName: string,
    stepFunction: StepFunction<TResult> | ((tools: StepTools) => TResult | Promise<TResult>),
    options?: RunOptions<TResult>,
  ): Promise<TResult> {
    return this.#steps.ask(() => runStep(stepName, stepFunction, options)) as Promise<TResult>;
  }

  /**
   * Sleeps without holding anything: the broker starts the next invocation when the time has come.
   *
   * @param duration seconds, or a duration such as `1d10h`
   */
  sleep(stepName: string, duration: number | string): Promise<void> {
    return this.#steps.ask(() => sleepStep(stepName, duration)) as Promise<void>;
  }

  /**
   * Sleeps until a moment.
   *
   * @param datetime a date, Unix seconds, or a text that `Date` can read
   */
  sleepUntil(stepName: string, datetime: Date | string | number): Promise<void> {
    return this.#steps.ask(() => sleepUntilStep(stepName, datetime)) as Promise<void>;
  }

  /**
   * Has the broker make a request, for up to hours, while nothing of the workflow is running.
   *
   * Whatever is answered resolves, unless the option `expect` says what counts as success.
   */
  call<TResult = unknown>(stepName: string, settings: CallSettings): Promise<CallResponse<TResult>>;
  call<TResult extends { workflowRunId: string } = { workflowRunId: string }, TBody = unknown>(
    stepName: string,
    settings: WorkflowCallSettings<TBody>,
  ): Promise<CallResponse<TResult>>;
  call(stepName: string, settings: object): Promise<never> {
    return this.#steps.ask(() => callStep(stepName, settings as CallSettings)) as Promise<never>;
  }

  /** Waits until somebody notifies of an event, or until the timeout: 7 days, unless said otherwise. */
  waitForEvent<TEventData = unknown>(
    stepName: string,
    eventId: string,
    options?: WaitEventOptions,
  ): Promise<WaitStepResponse<TEventData>> {
    const asked = this.#steps.ask(() => waitStep(stepName, eventId, options));
    return asked as Promise<WaitStepResponse<TEventData>>;
  }

  /**
   * Notifies the runs that wait for an event.
   *
   * @param workflowRunId this run is notified alone, also if it waits only later
   */
  notify(stepName: string, eventId: string, eventData?: unknown, workflowRunId?: string): Promise<NotifyStepResponse> {
    const asked = this.#steps.ask(() => notifyStep(stepName, eventId, eventData, workflowRunId));
    return asked as Promise<NotifyStepResponse>;
  }

  /** Starts a run of another workflow that is served by the same `serveMany`, and waits until it has ended. */
  invoke<TInitialPayload, TResult>(
    stepName: string,
    settings: LazyInvokeStepParams<TInitialPayload, TResult>,
  ): Promise<InvokeStepResponse<TResult>> {
    const asked = this.#steps.ask(() =>
      invokeStep(stepName, settings as unknown as LazyInvokeStepParams<unknown, unknown>),
    );
    return asked as Promise<InvokeStepResponse<TResult>>;
  }

  /** Makes a URL whose next caller is an event of this run. */
  createWebhook(stepName: string): Promise<Webhook> {
    return this.#steps.ask(() => createWebhookStep(stepName)) as Promise<Webhook>;
  }

  /** Waits until somebody calls a webhook. The body of the request has the bytes that were sent. */
  waitForWebhook(stepName: string, webhook: Webhook, timeout?: number | string): Promise<WaitForWebhookResponse> {
    const asked = this.#steps.ask(() => waitForWebhookStep(stepName, webhook, timeout));
    return asked as Promise<WaitForWebhookResponse>;
  }

  /** Ends the run as cancelled. The promise stays pending: nothing after it runs. */
  cancel(): Promise<void> {
    return this.#steps.cancel();
  }

  /**
   * Lets new code run beside old runs: `true` in runs that come here with the code that asks, `false` in runs that were
   * past this place before. The first answer holds for the whole run, wherever it asks again. Costs one message in runs
   * where it is `true`.
   */
  patch(id: string): Promise<boolean> {
    return this.#steps.ask(() => patchStep(id)) as Promise<boolean>;
  }

  /**
   * A number in [0, 1) that is the same in every invocation. Costs nothing. It is derived from the run's id: whoever
   * knows that can compute it, so make no secrets of it.
   */
  random(): number {
    return this.#steps.random();
  }

  /** A UUID of version 4 that is the same in every invocation; see {@link random}. */
  uuid(): string {
    return this.#steps.uuid();
  }

  /** The time in Unix milliseconds, the same in every invocation. It is carried by the next step's message. */
  now(): number {
    return this.#steps.now();
  }
}
