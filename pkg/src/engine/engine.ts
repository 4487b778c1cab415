/** The engine: serves, starts and follows workflows, by whichever provider keeps their runs. */
import type { CallOptions } from "../config.js";
import { ConfigurationError, OrchestrationError } from "../errors.js";
import { refusal } from "../http/answers.js";
import type { Exposition } from "../monitoring/prometheus.js";
import { type OptionNames, optionsOf } from "../options.js";
import { pause } from "../resilience/pause.js";
import { Address } from "./address.js";
import type { EngineOptions, EngineStatus, ProviderChoice, ServedEngine, WorkflowEngine } from "./api.js";
import type { AnyWorkflow } from "./definition.js";
import { healthOf } from "./health.js";
import { joined } from "./joined.js";
import { Monitor } from "./monitor.js";
import { present } from "./present.js";
import type { EventRequest, ScheduleOptions, StartOptions, WorkflowProvider } from "./provider.js";
import { closed, type ProviderEntry, Providers } from "./providers.js";
import { Serving } from "./serving.js";
import { EngineSettings } from "./settings.js";
import type { Trigger, TriggerSummary } from "./trigger.js";
import { Triggers } from "./triggers.js";
import type {
  EngineHealth,
  EngineMetrics,
  ExecutionFilter,
  ExecutionPage,
  StartedWorkflow,
  WorkflowExecution,
  WorkflowSchedule,
} from "./types.js";
import { checkInput, checkRunId, Workflows } from "./workflows.js";

/**
 * Makes an engine. Nothing is asked of anybody before it is used.
 *
 * ```ts
 * export const engine = createWorkflowEngine({ workflows: [order, mirror] });
 * export const { GET, POST } = engine.serve();                                 // app/api/workflows/[...path]/route.ts
 * const { workflowRunId } = await engine.executeWorkflow(order, { orderId: 7 });
 * const { status, output } = await engine.waitForExecution(workflowRunId);
 * ```
 *
 * @throws {OrchestrationError} `InvalidConfiguration`
 */
export function createWorkflowEngine(options: EngineOptions = {}): WorkflowEngine {
  return new Engine(optionsOf("createWorkflowEngine", options, NAMES));
}

const START_NAMES: OptionNames<StartOptions & ProviderChoice> = {
  ...{ workflowRunId: true, label: true, delay: true, retries: true, retryDelay: true, flowControl: true },
  ...{ headers: true, provider: true, signal: true },
};

const NAMES: OptionNames<EngineOptions> = {
  ...{ providers: true, defaultProvider: true, workflows: true, triggers: true, url: true, scope: true },
  ...{ middlewares: true, metrics: true, telemetry: true, env: true },
};

type Workflow = AnyWorkflow | string;

class Engine implements WorkflowEngine {
  readonly #settings: EngineSettings;
  readonly #address: Address;
  readonly #workflows = new Workflows();
  readonly #providers: Providers;
  readonly #triggers: Triggers;
  readonly #monitor: Monitor;
  readonly #serving: Serving;
  readonly #scope: NonNullable<EngineOptions["scope"]>;
  /** Aborted when it is shut down. */
  readonly #life = new AbortController();
  #initializing: Promise<void> | undefined;
  #isInitialized = false;
  #ending: Promise<void> | undefined;

  constructor(options: EngineOptions) {
    const { url, env, workflows = [], triggers = [], middlewares = [], scope = "engine" } = options;
    if (scope !== "engine" && scope !== "account")
      throw new ConfigurationError(`the option 'scope' has to be 'engine' or 'account', got '${scope}'`);
    this.#scope = scope;
    this.#monitor = new Monitor(options.metrics, options.telemetry);
    this.#settings = new EngineSettings(env);
    this.#address = new Address(url, this.#settings);
    this.#providers = new Providers(options, this.#settings);
    const parts = {
      ...{ settings: this.#settings, address: this.#address, workflows: this.#workflows },
      ...{ providers: this.#providers, monitor: this.#monitor, middlewares },
    };
    this.#triggers = new Triggers({
      ...parts,
      start: (...started) => this.#start(...started),
      schedule: (...scheduled) => this.scheduleWorkflow(...scheduled),
      scope: () => this.#scoped(),
    });
    this.#serving = new Serving({ ...parts, triggers: this.#triggers });
    for (const workflow of workflows) this.#workflows.add(workflow);
    for (const trigger of triggers) this.#triggers.add(trigger);
    if (options.providers) for (const workflow of workflows) this.#providers.of(workflow.options.provider);
  }

  async initialize(): Promise<void> {
    this.#open();
    if (this.#settings.isBuild) return;
    this.#initializing ??= this.#initialize().finally(() => {
      this.#initializing = undefined;
    });
    await this.#initializing;
  }

  provider(name?: string): WorkflowProvider {
    return this.#providers.of(name).provider;
  }

  async register(...items: readonly (AnyWorkflow | Trigger)[]): Promise<void> {
    this.#open();
    for (const item of items) {
      if (item.kind === "workflow") this.#workflows.add(item);
      else this.#triggers.add(item);
    }
    // Who initializes has looked already which triggers there are.
    if (!this.#isInitialized && !this.#initializing) return;
    for (const item of items) if (item.kind === "trigger") await this.#triggers.attach(item);
  }

  async unregister(name: string): Promise<boolean> {
    this.#open();
    const hadTrigger = await this.#triggers.remove(name);
    return this.#workflows.remove(name) || hadTrigger;
  }

  workflows(): readonly AnyWorkflow[] {
    return this.#workflows.all;
  }

  triggers(): readonly TriggerSummary[] {
    return this.#triggers.summaries;
  }

  serve(workflow?: AnyWorkflow): ServedEngine {
    this.#open();
    if (workflow) this.#workflows.add(workflow);
    // What a broker of this process has kept from before waits to be delivered.
    for (const entry of this.#providers.all)
      if (entry.type === "embedded" && !this.#settings.isBuild) this.#providers.ready(entry).catch(() => {});
    const handler = async (request: Request, bindings?: object) =>
      this.#ending ? refusal(closed()) : this.#serving.answer(request, bindings, workflow);
    const answered = (request: Request) => handler(request);
    return { handler: answered, POST: answered, GET: answered, fetch: handler };
  }

  async executeWorkflow(
    workflow: Workflow,
    input?: unknown,
    options?: StartOptions & ProviderChoice,
  ): Promise<StartedWorkflow> {
    return this.#start(workflow, input, optionsOf("executeWorkflow", options, START_NAMES));
  }

  async scheduleWorkflow(
    workflow: Workflow,
    { input, ...schedule }: ScheduleOptions & { input?: unknown },
    { provider, ...call }: ProviderChoice = {},
  ): Promise<{ scheduleId: string }> {
    const { definition, entry, url } = await this.#target(workflow, provider, input);
    const create = await this.#providers.method(entry, "schedule");
    const { retries, retryDelay, flowControl } = definition.options;
    const own = { retries, retryDelay, flowControl, ...present(schedule) };
    return create(present({ ...own, workflowId: definition.id, url, input }), this.#scoped(call));
  }

  async listSchedules({ provider, ...call }: ProviderChoice = {}): Promise<WorkflowSchedule[]> {
    const list = await this.#method("listSchedules", provider);
    return list(this.#scoped(), call);
  }

  async unscheduleWorkflow(scheduleId: string, { provider, ...call }: ProviderChoice = {}): Promise<void> {
    const unschedule = await this.#method("unschedule", provider);
    await unschedule(scheduleId, this.#scoped(call));
  }

  async pauseSchedule(scheduleId: string, { provider, ...call }: ProviderChoice = {}): Promise<void> {
    const pauseSchedule = await this.#method("pauseSchedule", provider);
    await pauseSchedule(scheduleId, this.#scoped(call));
  }

  async resumeSchedule(scheduleId: string, { provider, ...call }: ProviderChoice = {}): Promise<void> {
    const resumeSchedule = await this.#method("resumeSchedule", provider);
    await resumeSchedule(scheduleId, this.#scoped(call));
  }

  async getExecution<TOutput>(
    workflowRunId: string,
    { provider, ...call }: ProviderChoice = {},
  ): Promise<WorkflowExecution<TOutput> | undefined> {
    checkRunId(workflowRunId);
    const found = await this.#first("get", provider, (get) => get(workflowRunId, this.#scoped(call)));
    if (found) this.#monitor.seen(found);
    return found as WorkflowExecution<TOutput> | undefined;
  }

  async listExecutions(
    filter: ExecutionFilter = {},
    { provider, ...call }: ProviderChoice = {},
  ): Promise<ExecutionPage> {
    const { workflowId } = filter;
    const own = workflowId === undefined ? undefined : this.#workflows.find(workflowId)?.options.provider;
    const entry = this.#providers.keeper(provider ?? own);
    const list = await this.#method("list", entry.name);
    const url = workflowId === undefined ? undefined : this.#url(workflowId, entry);
    return list(this.#scoped(present({ ...filter, url })), call);
  }

  async cancelExecution(workflowRunId: string, { provider, ...call }: ProviderChoice = {}): Promise<boolean> {
    checkRunId(workflowRunId);
    return (await this.#first("cancel", provider, (cancel) => cancel(workflowRunId, this.#scoped(call)))) ?? false;
  }

  async waitForExecution<TOutput>(
    workflowRunId: string,
    options: ProviderChoice & { intervalMs?: number | undefined } = {},
  ): Promise<WorkflowExecution<TOutput>> {
    const { intervalMs = INTERVAL_MS, signal: outer, ...choice } = options;
    this.#open();
    return joined([this.#life.signal, outer], async (signal) => {
      const end = Date.now() + UNKNOWN_MS;
      for (let wait = intervalMs; ; wait = Math.min(wait * GROWTH, intervalMs * LONGEST)) {
        const run = await this.getExecution<TOutput>(workflowRunId, { ...choice, signal });
        if (run && run.status !== "pending" && run.status !== "running") return run;
        if (!run && Date.now() > end) throw new OrchestrationError(`there is no run '${workflowRunId}'`, "NotFound");
        await pause(wait, signal);
      }
    });
  }

  async notify(event: EventRequest, { provider, ...call }: ProviderChoice = {}): Promise<number> {
    if (event.workflowRunId !== undefined) checkRunId(event.workflowRunId);
    return (await this.#method("notify", provider))(event, call);
  }

  async emit(
    event: string,
    data?: unknown,
    options: ProviderChoice = {},
  ): Promise<{ notified: number; started: StartedWorkflow[] }> {
    this.#open();
    const { provider } = this.#providers.keeper(options.provider);
    const pulled = this.#triggers.pulledBy(event);
    const started = pulled.map(async (trigger) =>
      this.#start(trigger.workflow, trigger.inputOf ? trigger.inputOf(data) : data, { signal: options.signal }),
    );
    const notified = provider.notify ? this.notify({ eventId: event, data }, options) : Promise.resolve(0);
    // All of them are tried, whichever fails.
    await Promise.allSettled([notified, ...started]);
    return { notified: await notified, started: await Promise.all(started) };
  }

  getStatus(): EngineStatus {
    const providers = this.#providers.all;
    const isReady = providers.every((entry) => entry.isReady);
    return {
      state: this.#ending ? "shut-down" : isReady ? "ready" : "created",
      defaultProvider: this.#providers.default.name,
      providers: providers.map(({ name, type, isReady }) => ({ name, type, isReady })),
      workflows: this.#workflows.all.map(({ id, options }) => ({
        workflowId: id,
        provider: options.provider ?? this.#providers.default.name,
      })),
      triggers: [...this.#triggers.summaries],
      metrics: this.getMetrics(),
    };
  }

  getMetrics(): EngineMetrics {
    return this.#monitor.metrics();
  }

  prometheus(format: Exposition = "prometheus"): string {
    return this.#monitor.exposed(format);
  }

  async healthCheck(options?: CallOptions): Promise<EngineHealth> {
    this.#open();
    return healthOf(this.#providers, options);
  }

  async shutdown(): Promise<void> {
    this.#ending ??= this.#end();
    await this.#ending;
  }

  async #end(): Promise<void> {
    this.#life.abort(closed());
    await this.#initializing?.catch(() => {});
    await this.#providers.shutdown();
  }

  /** Everybody is tried, whoever fails; what was done is not done again. */
  async #initialize(): Promise<void> {
    const providers = this.#providers.all.map((entry) => this.#providers.ready(entry));
    const attached = this.#triggers.all.map((trigger) => this.#triggers.attach(trigger));
    const results = await Promise.allSettled([...providers, ...attached]);
    this.#isInitialized = true;
    const failed = results.find((result) => result.status === "rejected");
    if (failed) throw failed.reason;
  }

  async #start(
    workflow: Workflow,
    input: unknown,
    { provider, signal, ...options }: StartOptions & ProviderChoice = {},
  ): Promise<StartedWorkflow> {
    if (options.workflowRunId !== undefined) checkRunId(options.workflowRunId);
    const { definition, entry, url } = await this.#target(workflow, provider, input);
    const { retries, retryDelay, flowControl } = definition.options;
    const own = { retries, retryDelay, flowControl, ...present(options) };
    const request = present({ ...own, workflowId: definition.id, url, input });
    const { workflowRunId } = await entry.provider.start(request, { signal });
    this.#monitor.started(definition.id, workflowRunId);
    return { workflowRunId, workflowId: definition.id, provider: entry.keeper };
  }

  /** Which workflow is meant, who is asked for it and ready, and where it is served; and whether it takes the input. */
  async #target(workflow: Workflow, provider: string | undefined, input: unknown) {
    this.#open();
    const definition = this.#workflows.of(workflow);
    await checkInput(definition, input);
    const entry = this.#providers.of(provider ?? definition.options.provider);
    await this.#providers.ready(entry);
    return { definition, entry, url: this.#url(definition.id, this.#providers.of(entry.keeper)) };
  }

  /** The endpoint of a workflow whose runs a provider keeps. */
  #url(workflowId: string, keeper: ProviderEntry): string {
    return this.#address.workflow(workflowId, keeper === this.#providers.keeper(undefined) ? undefined : keeper.name);
  }

  /** Of whom something is asked: of what is below the engine's address, or of all. */
  #scoped<T extends object>(asked: T = {} as T): T & { base?: string } {
    return this.#scope === "account" ? asked : { ...asked, base: this.#address.base };
  }

  #method<const Name extends Parameters<Providers["method"]>[1]>(name: Name, provider: string | undefined) {
    this.#open();
    return this.#providers.method(this.#providers.keeper(provider), name);
  }

  /** Asks the provider that was named, or one after the other until one knows. */
  async #first<const Name extends "get" | "cancel", TResult>(
    name: Name,
    provider: string | undefined,
    ask: (method: NonNullable<WorkflowProvider[Name]>) => Promise<TResult>,
  ): Promise<TResult | undefined> {
    this.#open();
    if (provider !== undefined) return ask(await this.#providers.method(this.#providers.keeper(provider), name));
    let failure: { reason: unknown } | undefined;
    for (const entry of this.#providers.keepers) {
      try {
        const found = await ask(await this.#providers.method(entry, name));
        if (found) return found;
      } catch (reason) {
        failure ??= { reason };
      }
    }
    if (failure) throw failure.reason;
    return undefined;
  }

  /** @throws {OrchestrationError} `Closed` */
  #open(): void {
    if (this.#ending) throw closed();
  }
}

const INTERVAL_MS = 500;
/** Each wait is this much longer than the one before, up to so many times the first. */
const GROWTH = 1.5;
const LONGEST = 10;
/** How long a run that was just started may be unknown. */
const UNKNOWN_MS = 10_000;
