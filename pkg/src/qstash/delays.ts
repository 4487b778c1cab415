/** How long the broker waits, as it reads it. */
import { core } from "../core/core.js";
import { adopting, QstashError } from "../errors.js";

/**
 * The milliseconds that a broker waits before each of the first `retries` retries of a message: what the expression
 * `retryDelay` says, such as `1000 * pow(2, retried)`, from nothing to a day; without one, the broker's own delays.
 *
 * @throws {QstashError} `InvalidExpression`, with the place of what can't be read.
 */
export async function retryDelays(retryDelay: string | undefined, retries: number): Promise<number[]> {
  const bindings = await core();
  return adopting(QstashError, () => [...bindings.retryDelays(retryDelay, retries)]);
}

/**
 * The milliseconds of a duration as options have them: `30s`, `3d2h`.
 *
 * @throws {QstashError} `InvalidDuration`.
 */
export async function parseDuration(duration: string): Promise<number> {
  const bindings = await core();
  return adopting(QstashError, () => bindings.timeoutMillis(duration));
}
