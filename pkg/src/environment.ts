/** Names and values of settings, as `process.env` or a Worker's bindings hold them. */
export type Environment = Record<string, string | undefined>;

/** The process's environment; empty where there is none. Read at the time of the call. */
export function processEnvironment(): Environment {
  return (globalThis as { process?: { env?: Environment } }).process?.env ?? {};
}
