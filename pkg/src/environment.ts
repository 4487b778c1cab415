/** Names and values of settings, as `process.env` or a Worker's bindings hold them. */
export type Environment = Record<string, string | undefined>;

const REGIONAL = ["QSTASH_URL", "QSTASH_TOKEN", "QSTASH_CURRENT_SIGNING_KEY", "QSTASH_NEXT_SIGNING_KEY"];
const REGIONS = ["EU_CENTRAL_1", "US_EAST_1"];
/** The settings that `src/wire/environment.rs` knows; the first four may be given for each region. */
export const BROKER_SETTINGS: readonly string[] = [
  ...REGIONAL,
  ...REGIONS.flatMap((region) => REGIONAL.map((name) => `${region}_${name}`)),
  "QSTASH_REGION",
  "QSTASH_DEV",
  "QSTASH_DEV_PORT",
  "NODE_ENV",
];

/** The process's environment; empty where there is none. Read at the time of the call. */
export function processEnvironment(): Environment {
  return (globalThis as { process?: { env?: Environment } }).process?.env ?? {};
}

/** Whether `NODE_ENV` says that this is a developer's machine. A process that says nothing may well be in production. */
export const isDeveloping = (nodeEnv: string | undefined): boolean => nodeEnv === "development" || nodeEnv === "test";

/** What of an environment the core is shown: nothing but the settings of the broker, or those with `names`. */
export function settingsIn(environment: object, names: readonly string[] = BROKER_SETTINGS): Record<string, string> {
  const values = environment as Record<string, unknown>;
  const found = names.flatMap((name): [string, string][] => {
    const value = values[name];
    return typeof value === "string" ? [[name, value]] : [];
  });
  return Object.fromEntries(found);
}

/** Bindings, if they hold settings: frameworks also put other things where a Worker has its bindings. */
export function bindingsIn(env: unknown): object | undefined {
  const holdsSettings =
    typeof env === "object" && env !== null && Object.keys(env).some((name) => name.includes("QSTASH_"));
  return holdsSettings ? env : undefined;
}
