/** Steps by name. */
import { OrchestrationError } from "../errors.js";
import type { AnyStep } from "./step.js";

/** Makes steps of options. */
// biome-ignore lint/suspicious/noExplicitAny: every factory has arguments of its own
export type StepFactory = (...options: any[]) => AnyStep;

/** What a registry holds. */
export type StepEntries = Readonly<Record<string, AnyStep | StepFactory>>;

type NamesOf<TEntries, TKind> = {
  [Name in keyof TEntries]: TEntries[Name] extends TKind ? Name : never;
}[keyof TEntries] &
  string;

/** A name of which the types say nothing. */
type Unknown<TEntries, TName extends string> = TName extends keyof TEntries ? never : TName;

/** A registry that holds one more. */
export type Extended<TEntries extends StepEntries, TName extends string, TEntry> = StepRegistry<
  Omit<TEntries, TName> & Record<TName, TEntry>
>;

/**
 * Steps, and factories of steps, by name. What is given at first, and what calls of `register` return, has its types; what
 * is registered elsewhere is found too.
 *
 * ```ts
 * const steps = new StepRegistry({ download })
 *   .register("store", store)
 *   .register("notify", (channel: string) => createStep(`notify ${channel}`, …));
 * await steps.get("download").execute("https://example.com");
 * steps.create("notify", "mail");
 * ```
 */
export class StepRegistry<TEntries extends StepEntries = Record<never, never>> {
  readonly #entries = new Map<string, AnyStep | StepFactory>();

  /** @throws {OrchestrationError} `InvalidConfiguration` */
  constructor(entries?: TEntries) {
    for (const [name, entry] of Object.entries(entries ?? {})) this.register(name, entry);
  }

  /**
   * Adds a step by its own name or another, or a factory.
   *
   * @param options.replace whether another of this name makes room. Default: `false`
   * @throws {OrchestrationError} `InvalidConfiguration` if the name is taken
   */
  register(step: AnyStep, options?: { replace?: boolean | undefined }): this;
  register<TName extends string, TEntry extends AnyStep | StepFactory>(
    name: TName,
    entry: TEntry,
    options?: { replace?: boolean | undefined },
  ): Extended<TEntries, TName, TEntry>;
  register(given: AnyStep | string, second?: unknown, third?: { replace?: boolean | undefined }): unknown {
    const [name, entry, options] =
      typeof given === "string"
        ? [given, second, third]
        : [given?.name, given, second as { replace?: boolean | undefined } | undefined];
    if (!isEntry(entry) || typeof name !== "string" || name === "")
      throw refused(`a step or a function that makes one is needed for the name '${name}'`);
    if (this.#entries.has(name) && !options?.replace)
      throw refused(`there is a step '${name}' already: use another name, or the option replace`);
    this.#entries.set(name, entry);
    return this;
  }

  /** @throws {OrchestrationError} `NotFound` tells what there is */
  get<TName extends NamesOf<TEntries, AnyStep>>(name: TName): TEntries[TName];
  get<TName extends string>(name: Unknown<TEntries, TName>): AnyStep;
  get(name: string): unknown {
    const entry = this.#found(name);
    if (typeof entry === "function") throw refused(`'${name}' is a factory of steps: use create`);
    return entry;
  }

  /** A step that the factory of this name makes. @throws {OrchestrationError} `NotFound` tells what there is */
  create<TName extends NamesOf<TEntries, StepFactory>>(
    name: TName,
    ...options: TEntries[TName] extends StepFactory ? Parameters<TEntries[TName]> : never
  ): TEntries[TName] extends StepFactory ? ReturnType<TEntries[TName]> : never;
  create<TName extends string>(name: Unknown<TEntries, TName>, ...options: unknown[]): AnyStep;
  create(name: string, ...options: unknown[]): unknown {
    const entry = this.#found(name);
    if (typeof entry !== "function") throw refused(`'${name}' is a step, not a factory: use get`);
    return entry(...options);
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** The names, in the order in which they came. */
  list(): string[] {
    return [...this.#entries.keys()];
  }

  /** Whether there was one. */
  remove(name: string): boolean {
    return this.#entries.delete(name);
  }

  #found(name: string): AnyStep | StepFactory {
    const entry = this.#entries.get(name);
    if (entry) return entry;
    throw new OrchestrationError(`there is no step '${name}'; there are: ${this.list().join(", ")}`, "NotFound");
  }
}

const isEntry = (entry: unknown): entry is AnyStep | StepFactory =>
  typeof entry === "function" || typeof (entry as AnyStep | undefined)?.perform === "function";

const refused = (message: string) => new OrchestrationError(message, "InvalidConfiguration");
