/** The providers of an engine. */
import { ConfigurationError, OrchestrationError } from "../errors.js";
import { TRIGGERS } from "./address.js";
import type { EngineOptions, ProviderConfig, RateLimitProviderConfig } from "./api.js";
import { lacking } from "./lacking.js";
import type { WorkflowProvider } from "./provider.js";
import { EmbeddedProvider } from "./providers/embedded.js";
import { hasToken, UpstashWorkflowProvider } from "./providers/qstash.js";
import { RateLimitProvider } from "./providers/rate-limit.js";
import type { EngineSettings } from "./settings.js";

/** A provider, and how far it is. */
export interface ProviderEntry {
  readonly name: string;
  readonly type: string;
  readonly provider: WorkflowProvider;
  /** The name of the provider that keeps its runs: its own, or that of the one behind it. */
  readonly keeper: string;
  isReady: boolean;
  /** While it is made ready, and after. */
  readying?: Promise<void> | undefined;
}

/** What a provider may have: `start` is not optional. */
type Method = Exclude<keyof WorkflowProvider, "name" | "type" | "client" | "start">;

/** Makes providers of their configurations, and each ready when it is first needed. */
export class Providers {
  readonly #configs: readonly ProviderConfig[] | undefined;
  readonly #default: string | undefined;
  readonly #settings: EngineSettings;
  #entries: Map<string, ProviderEntry> | undefined;
  #isClosed = false;

  /** @throws {ConfigurationError} */
  constructor({ providers, defaultProvider }: EngineOptions, settings: EngineSettings) {
    this.#configs = providers;
    this.#default = defaultProvider;
    this.#settings = settings;
    if (providers) check(providers);
    const names = providers?.map(({ name }) => name) ?? [];
    if (defaultProvider !== undefined && !names.includes(defaultProvider))
      throw new ConfigurationError(
        `the default provider '${defaultProvider}' is not among the providers: ${list(names)}`,
      );
    if (providers) this.#entries = this.#made(providers);
  }

  get all(): readonly ProviderEntry[] {
    return [...this.#known.values()];
  }

  get default(): ProviderEntry {
    return this.of(this.#default ?? (this.all[0] as ProviderEntry).name);
  }

  /** @throws {OrchestrationError} `NotFound` */
  of(name: string | undefined): ProviderEntry {
    if (name === undefined) return this.default;
    const entry = this.#known.get(name);
    if (entry) return entry;
    throw new OrchestrationError(
      `there is no provider '${name}'; there are: ${list([...this.#known.keys()])}`,
      "NotFound",
    );
  }

  /** The provider that keeps the runs of another. */
  keeper(name: string | undefined): ProviderEntry {
    return this.of(this.of(name).keeper);
  }

  /** Those that keep runs, the default one first. */
  get keepers(): readonly ProviderEntry[] {
    const first = this.keeper(undefined);
    return [first, ...this.all.filter((entry) => entry !== first && entry.keeper === entry.name)];
  }

  /** Makes a provider ready, once; again after a failure. */
  async ready(entry: ProviderEntry): Promise<void> {
    if (this.#isClosed) throw closed();
    entry.readying ??= this.#prepare(entry);
    await entry.readying;
  }

  /**
   * A method of a provider.
   *
   * @throws {OrchestrationError} `Unsupported` if it lacks it
   */
  async method<const Name extends Method>(
    entry: ProviderEntry,
    name: Name,
  ): Promise<NonNullable<WorkflowProvider[Name]>> {
    const { provider } = entry;
    if (typeof provider[name] !== "function") throw lacking(entry.name, name);
    await this.ready(entry);
    return (provider[name] as (...args: never[]) => unknown).bind(provider) as NonNullable<WorkflowProvider[Name]>;
  }

  /** The environment has become known: what was concluded from its absence may be wrong. */
  reconsider(): void {
    if (!this.#configs && !this.all.some(({ readying }) => readying)) this.#entries = undefined;
  }

  /** Ends all of them, also those that are about to become ready. */
  async shutdown(): Promise<void> {
    this.#isClosed = true;
    const ended = (this.#entries ? this.all : []).map(async (entry) => {
      await entry.readying?.catch(() => {});
      entry.isReady = false;
      await entry.provider.shutdown?.();
    });
    const failed = (await Promise.allSettled(ended)).find((result) => result.status === "rejected");
    if (failed) throw failed.reason;
  }

  async #prepare(entry: ProviderEntry): Promise<void> {
    try {
      await entry.provider.initialize?.();
      entry.isReady = true;
    } catch (error) {
      entry.readying = undefined;
      throw error;
    }
  }

  get #known(): Map<string, ProviderEntry> {
    this.#entries ??= this.#made([this.#fallback()]);
    return this.#entries;
  }

  /** Without a token there is a broker on a developer's machine; elsewhere the provider tells what is missing. */
  #fallback(): ProviderConfig {
    const { isDevelopmentMode, isDevelopment } = this.#settings;
    const isLocal = isDevelopmentMode || (isDevelopment && !hasToken(this.#settings));
    return isLocal ? { name: "embedded", type: "embedded" } : { name: "upstash", type: "upstash-workflow" };
  }

  #made(configs: readonly ProviderConfig[]): Map<string, ProviderEntry> {
    const behind = new Map(
      configs.flatMap((config) => (config.type === "rate-limit" ? [[config.name, config.config.provider]] : [])),
    );
    const keeperOf = (name: string): string => {
      const next = behind.get(name);
      return next === undefined ? name : keeperOf(next);
    };
    return new Map(
      configs.map((config) => {
        const provider = this.#provider(config);
        const { name } = config;
        return [name, { name, type: provider.type, provider, keeper: keeperOf(name), isReady: false }];
      }),
    );
  }

  #provider(config: ProviderConfig): WorkflowProvider {
    switch (config.type) {
      case "upstash-workflow":
        return new UpstashWorkflowProvider(config.name, config.config ?? {}, this.#settings);
      case "embedded":
        return new EmbeddedProvider(config.name, config.config, this.#settings);
      case "rate-limit":
        return this.#limit(config.name, config.config);
      case "custom":
        return config.provider;
    }
  }

  #limit(name: string, config: RateLimitProviderConfig): WorkflowProvider {
    const limited = () => this.of(config.provider);
    const behind = { provider: () => limited().provider, ready: () => this.ready(limited()) };
    return new RateLimitProvider(name, config, behind, this.#settings);
  }
}

/** What is answered after the engine was shut down. */
export const closed = (): OrchestrationError =>
  new OrchestrationError("the engine has been shut down: make another one", "Closed");

const NAMES = /^[\w.-]{1,128}$/;
const TYPES = ["upstash-workflow", "embedded", "rate-limit", "custom"];

function check(configs: readonly ProviderConfig[]): void {
  if (configs.length === 0)
    throw new ConfigurationError("the option 'providers' is empty: leave it out for the default, or name one");
  const names = configs.map(({ name }) => name);
  for (const [index, config] of configs.entries()) {
    const { name, type } = config;
    if (typeof name !== "string" || !NAMES.test(name) || name === TRIGGERS)
      throw new ConfigurationError(
        `the provider name '${name}' has to be letters, digits, '-', '_' and '.', and not '${TRIGGERS}': it is a part of an address`,
      );
    if (names.indexOf(name) !== index) throw new ConfigurationError(`two providers have the name '${name}'`);
    if (!TYPES.includes(type))
      throw new ConfigurationError(`the provider '${name}' has the type '${type}'; expected one of ${list(TYPES)}`);
    if (type === "custom" && typeof config.provider?.start !== "function")
      throw new ConfigurationError(`the provider '${name}' is custom: give it a 'provider' with a method 'start'`);
    if (type === "rate-limit") checkChain(name, configs);
  }
}

/** Every provider before another leads to one that keeps runs. */
function checkChain(name: string, configs: readonly ProviderConfig[]): void {
  const seen = new Set<string>();
  let at: string | undefined = name;
  while (at !== undefined) {
    if (seen.has(at)) throw new ConfigurationError(`the provider '${name}' limits itself`);
    seen.add(at);
    const config = configs.find((candidate) => candidate.name === at);
    if (!config)
      throw new ConfigurationError(`the provider '${name}' limits '${at}', which is not among the providers`);
    at = config.type === "rate-limit" ? (config.config?.provider ?? "") : undefined;
  }
}

const list = (names: readonly string[]): string => names.join(", ") || "none";
