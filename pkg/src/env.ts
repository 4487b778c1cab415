/** The settings that this package reads, checked and typed. Nothing is read before it is asked for. */
import { BROKER_SETTINGS, processEnvironment, settingsIn } from "./environment.js";
import { ConfigurationError, type ConfigurationProblem } from "./errors.js";
import { rules } from "./rules/rules.js";

export { ConfigurationError, type ConfigurationProblem, OrchestrationError } from "./errors.js";

/** What an application is configured with: the values that count, as they are after regions and development mode. */
export interface OrchestrationEnvironment {
  /** The broker's address, without a slash at its end. In development mode that of the broker on this machine. */
  readonly QSTASH_URL: string;
  /** The broker's token. */
  readonly QSTASH_TOKEN: string;
  /** The key that the broker signs with. */
  readonly QSTASH_CURRENT_SIGNING_KEY: string;
  /** The key that it will sign with next. */
  readonly QSTASH_NEXT_SIGNING_KEY: string;
  /** The region whose address and token these are, if `QSTASH_REGION` names one that has its own. */
  readonly QSTASH_REGION?: "EU_CENTRAL_1" | "US_EAST_1" | undefined;
  /** Whether development mode is on. */
  readonly QSTASH_DEV: boolean;
  /** Where the broker of development mode listens. Default: 8080. */
  readonly QSTASH_DEV_PORT: number;
  /** Scheme and authority at which the broker reaches this application. */
  readonly UPSTASH_WORKFLOW_URL?: string | undefined;
  /** The REST address of Upstash Redis. Set if its token is. */
  readonly UPSTASH_REDIS_REST_URL?: string | undefined;
  /** The token of Upstash Redis. */
  readonly UPSTASH_REDIS_REST_TOKEN?: string | undefined;
}

/** An environment, or why there is none. */
export type EnvironmentResult =
  | { readonly success: true; readonly data: OrchestrationEnvironment }
  | { readonly success: false; readonly error: ConfigurationError };

/** Those that are not the broker's: `SETTINGS` of `src/client/configuration.rs`. */
const OWN_SETTINGS = ["UPSTASH_WORKFLOW_URL", "UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"];
const MEMBERS = [
  ...["QSTASH_URL", "QSTASH_TOKEN", "QSTASH_CURRENT_SIGNING_KEY", "QSTASH_NEXT_SIGNING_KEY"],
  ...["QSTASH_REGION", "QSTASH_DEV", "QSTASH_DEV_PORT", ...OWN_SETTINGS],
] as (keyof OrchestrationEnvironment)[];

const NO_PROCESS =
  "\nThis runtime has no process.env: give readEnvironment(bindings) what the runtime hands to your code.";

/**
 * The settings in `source`: a Worker's bindings, or any object with names and texts. Default: the process's environment.
 *
 * ```ts
 * export default { fetch: (request, bindings) => handle(request, readEnvironment(bindings)) };
 * ```
 *
 * @throws {ConfigurationError} One error that lists everything that is missing or malformed, in its message and in `problems`:
 * what was expected and what to do, never the value. Address, token and signing keys of the broker have to be there unless
 * `QSTASH_DEV` is on; address and token of Redis both or not at all.
 */
export function readEnvironment(source?: object): OrchestrationEnvironment {
  const settings = settingsIn(source ?? processEnvironment(), [...BROKER_SETTINGS, ...OWN_SETTINGS]);
  const { readEnvironment: read } = rules();
  try {
    return Object.freeze(Object.fromEntries(read(Object.entries(settings).flat()))) as never;
  } catch (error) {
    throw refusal(error, source || "process" in globalThis ? "" : NO_PROCESS);
  }
}

/** {@link readEnvironment} for those who would rather look than catch. */
export function safeEnv(source?: object): EnvironmentResult {
  try {
    return { success: true, data: readEnvironment(source) };
  } catch (error) {
    if (error instanceof ConfigurationError) return { success: false, error };
    throw error;
  }
}

let known: OrchestrationEnvironment | undefined;

/**
 * The process's environment. All of it is checked when a member is read for the first time, and then kept; importing reads
 * nothing.
 *
 * ```ts
 * const client = new Client({ baseUrl: env.QSTASH_URL, token: env.QSTASH_TOKEN });
 * ```
 *
 * Where there is no `process`, give {@link readEnvironment} the bindings.
 *
 * @throws {ConfigurationError} by reading a member; see {@link readEnvironment}
 */
export const env: OrchestrationEnvironment = /* @__PURE__ */ Object.freeze(
  /* @__PURE__ */ Object.defineProperties({}, /* @__PURE__ */ Object.fromEntries(/* @__PURE__ */ MEMBERS.map(lazily))),
) as OrchestrationEnvironment;

function lazily(name: keyof OrchestrationEnvironment): [string, PropertyDescriptor] {
  const get = () => {
    known ??= readEnvironment();
    return known[name];
  };
  return [name, { enumerable: true, get }];
}

/** What the rules throw, with the problems that it has in turn: name, kind and message of each. */
function refusal(thrown: unknown, hint: string): unknown {
  const { message, problems } = thrown as { message: string; problems?: string[] };
  if (!Array.isArray(problems)) return thrown;
  const listed: ConfigurationProblem[] = [];
  for (let at = 0; at < problems.length; at += 3) {
    const [name, kind, text] = problems.slice(at, at + 3) as [string, ConfigurationProblem["kind"], string];
    listed.push({ name, kind, message: text });
  }
  return new ConfigurationError(message + hint, { problems: listed });
}
