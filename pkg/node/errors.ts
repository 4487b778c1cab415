/** What keeps a broker from running. The package's own errors are of another bundle, which adopts these by their code. */

/** `code` is one of `PortTaken`, `DatabaseInUse`, and those of the core's table. */
export class HostError extends Error {
  readonly code: string;

  constructor(message: string, code: string, cause?: unknown) {
    super(message, { cause });
    this.name = "OrchestrationError";
    this.code = code;
  }
}

/** One line; an attempt at several addresses has no message of its own. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && !error.message) return error.errors.map(messageOf).join("; ");
  return error instanceof Error ? error.message : String(error);
}
