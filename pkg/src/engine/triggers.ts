/** The triggers of an engine, by their names. */
import type { CallOptions } from "../config.js";
import { ConfigurationError, OrchestrationError } from "../errors.js";
import { asking } from "../workflows/authenticity.js";
import type { Address } from "./address.js";
import { lacking } from "./lacking.js";
import type { ScheduleOptions, ScopedOptions, StartOptions } from "./provider.js";
import type { ProviderEntry, Providers } from "./providers.js";
import type { Trigger, TriggerHost, TriggerSummary } from "./trigger.js";
import type { StartedWorkflow } from "./types.js";
import type { Workflows } from "./workflows.js";

/** Starts a run of a workflow. */
export type Start = (workflow: Trigger["workflow"], input: unknown, options?: StartOptions) => Promise<StartedWorkflow>;

/** Makes a schedule of a workflow. */
export type Schedule = (
  workflow: Trigger["workflow"],
  schedule: ScheduleOptions & { input?: unknown },
  options?: CallOptions,
) => Promise<{ scheduleId: string }>;

/** What triggers are worked with. */
export interface TriggerParts {
  workflows: Workflows;
  providers: Providers;
  address: Address;
  start: Start;
  schedule: Schedule;
  /** Whose schedules may be taken away. */
  scope: () => ScopedOptions;
}

export class Triggers {
  readonly #parts: TriggerParts;
  readonly #known = new Map<string, Trigger>();
  readonly #attached = new Set<Trigger>();
  /** What is being set up or taken away, by name: one after the other. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(parts: TriggerParts) {
    this.#parts = parts;
  }

  /** Adding one twice changes nothing. Its workflow is added too. @throws {ConfigurationError} if another has its name */
  add(trigger: Trigger): void {
    const { name, workflow } = trigger;
    if (!NAMES.test(name))
      throw new ConfigurationError(
        `the trigger name '${name}' has to be letters, digits, '-', '_' and '.': it is the last part of an address`,
      );
    if ((this.#known.get(name) ?? trigger) !== trigger)
      throw new ConfigurationError(`two triggers have the name '${name}'`);
    if (typeof workflow !== "string") this.#parts.workflows.add(workflow);
    this.#known.set(name, trigger);
  }

  /** Takes it away at its provider, and forgets it. Whether it was there. */
  async remove(name: string, options?: CallOptions): Promise<boolean> {
    const trigger = this.#known.get(name);
    if (!trigger) return false;
    this.#known.delete(name);
    await this.#inTurn(name, async () => {
      this.#attached.delete(trigger);
      try {
        await trigger.detach?.(await this.host(trigger), options);
      } catch (error) {
        // So that it can be tried again.
        if (!this.#known.has(name)) this.#known.set(name, trigger);
        throw error;
      }
    });
    return true;
  }

  /** Sets up what it needs at its provider, unless that is done, or the trigger is gone. */
  async attach(trigger: Trigger, options?: CallOptions): Promise<void> {
    await this.#inTurn(trigger.name, async () => {
      if (!trigger.attach || this.#attached.has(trigger) || this.#known.get(trigger.name) !== trigger) return;
      await trigger.attach(await this.host(trigger), options);
      this.#attached.add(trigger);
    });
  }

  get all(): readonly Trigger[] {
    return [...this.#known.values()];
  }

  get summaries(): readonly TriggerSummary[] {
    return this.all.map((trigger) => {
      const { name, type, workflow } = trigger;
      const url = trigger.handle && this.#url(trigger);
      return {
        ...{ name, type, workflowId: typeof workflow === "string" ? workflow : workflow.id },
        ...(url === undefined ? {} : { url }),
        isAttached: !trigger.attach || this.#attached.has(trigger),
      };
    });
  }

  /** Those that an event pulls. */
  pulledBy(event: string): readonly Trigger[] {
    return this.all.filter(({ events }) => events?.includes(event));
  }

  /** Answers a request that pulls a trigger. @throws {OrchestrationError} `NotFound` */
  async answer(name: string, request: Request): Promise<Response> {
    const trigger = this.#known.get(name);
    if (!trigger?.handle) throw new OrchestrationError(`there is no trigger '${name}' that requests pull`, "NotFound");
    return trigger.handle(request, await this.host(trigger));
  }

  /** What a trigger works with, once its provider is ready. */
  async host(trigger: Trigger): Promise<TriggerHost> {
    const { workflows, providers, address, start, schedule, scope } = this.#parts;
    const entry = providers.keeper(workflows.of(trigger.workflow).options.provider);
    await providers.ready(entry);
    return {
      get url() {
        return address.trigger(trigger.name);
      },
      provider: entry.provider,
      client: () => {
        if (entry.provider.client) return entry.provider.client;
        throw lacking(entry.name, "client");
      },
      start: (input, options) => start(trigger.workflow, input, options),
      schedule: (asked, options) => schedule(trigger.workflow, asked, options),
      unschedule: async (scheduleId, options) => {
        const unschedule = await providers.method(entry, "unschedule");
        await unschedule(scheduleId, { ...options, ...scope() }).catch(unlessAbsent);
      },
      verify: (request, body) => verify(entry, request, body, address.sentTo(request)),
    };
  }

  async #inTurn(name: string, act: () => Promise<void>): Promise<void> {
    const turn = (this.#turns.get(name) ?? Promise.resolve()).then(act);
    const over = turn
      .catch(() => {})
      .then(() => {
        if (this.#turns.get(name) === over) this.#turns.delete(name);
      });
    this.#turns.set(name, over);
    await turn;
  }

  /** Unless nobody has said where the engine is. */
  #url({ name }: Trigger): string | undefined {
    try {
      return this.#parts.address.trigger(name);
    } catch {
      return undefined;
    }
  }
}

async function verify(entry: ProviderEntry, request: Request, body: Uint8Array, url: string): Promise<void> {
  const receiver = entry.provider.endpoint?.().receiver;
  if (!receiver) throw lacking(entry.name, "endpoint().receiver");
  await asking(receiver)(request, body, url);
}

function unlessAbsent(error: unknown): void {
  const { status, code } = error as { status?: unknown; code?: unknown };
  if (status !== 404 && code !== "NotFound") throw error;
}

const NAMES = /^[\w.-]{1,128}$/;
