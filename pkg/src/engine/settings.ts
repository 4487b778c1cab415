/** What an engine knows of where it runs. Read at the time of use, so that a module can be imported without an environment. */
import { bindingsIn, type Environment, isDeveloping, processEnvironment } from "../environment.js";
import { canHost } from "../server/host.js";

/** The environment of an engine: the option `env`, the bindings of a Worker, or that of the process. */
export class EngineSettings {
  readonly #given: Environment | undefined;
  #bindings: Environment | undefined;

  constructor(given: Environment | undefined) {
    this.#given = given;
  }

  /** For clients, receivers and endpoints, which read the process's environment themselves. */
  get own(): Environment | undefined {
    return this.#given ?? this.#bindings;
  }

  get environment(): Environment {
    return this.own ?? processEnvironment();
  }

  /** Remembers what a Worker gets with a request. Whether it is news. */
  adopt(bindings: object | undefined): boolean {
    if (this.own || !bindingsIn(bindings)) return false;
    this.#bindings = bindings as Environment;
    return true;
  }

  /** A setting; one that is empty is absent. */
  get(name: string): string | undefined {
    const value = this.environment[name];
    return typeof value === "string" && value !== "" ? value : undefined;
  }

  /** `NODE_ENV`. That a process runs in production is so for an engine with settings of its own too. */
  get mode(): string | undefined {
    return this.get("NODE_ENV") ?? processEnvironment().NODE_ENV;
  }

  /** Whether `QSTASH_DEV` is on; the core refuses what it can't be. */
  get isDevelopmentMode(): boolean {
    return !["false", "0"].includes(this.get("QSTASH_DEV") ?? "false");
  }

  /**
   * Whether this is a developer's machine: Node, and `NODE_ENV` or `QSTASH_DEV` says so. The keys of its broker are public:
   * where nobody says so, everybody could sign deliveries.
   */
  get isDevelopment(): boolean {
    const { userAgent } = (globalThis as { navigator?: { userAgent?: string } }).navigator ?? {};
    const isSaid = isDeveloping(this.mode) || (this.isDevelopmentMode && this.mode !== "production");
    return isSaid && canHost() && userAgent !== WORKERS;
  }

  /** Whether Next.js is collecting what to build: no time to start or set up anything. */
  get isBuild(): boolean {
    return processEnvironment().NEXT_PHASE === "phase-production-build";
  }
}

const WORKERS = "Cloudflare-Workers";
