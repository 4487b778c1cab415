/** Names and values of settings, as `process.env` or a Worker's bindings hold them. */
export type Environment = Record<string, string | undefined>;

/** The process's environment; empty where there is none. Read at the time of the call. */
export function processEnvironment(): Environment {
  return (globalThis as { process?: { env?: Environment } }).process?.env ?? {};
}

/** What of an environment the core is shown: nothing but the settings of the broker. */
export function settingsIn(environment: object): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (name.includes("QSTASH_") && typeof value === "string") settings[name] = value;
  }
  return settings;
}
