/** Ids that nobody guesses, from Web Crypto's random bytes. */
import { adopting, ConfigurationError, OrchestrationError } from "../errors.js";
import { rules } from "../rules/rules.js";

/** A random UUID of version 4 (RFC 9562): 122 random bits. */
export const uuidV4 = (): string => adopting(OrchestrationError, () => rules().uuidV4());

/**
 * A UUID of version 7 (RFC 9562), which begins with the time: later ones sort behind.
 *
 * @param now Unix milliseconds, up to the year 10889. Default: now
 * @throws {ConfigurationError} for another time
 */
export function uuidV7(now: number = Date.now()): string {
  if (typeof now !== "number" || !(now >= 0 && now < TIME_LIMIT))
    throw new ConfigurationError("a UUID of version 7 needs a time in Unix milliseconds from 0 to 2^48 - 1");
  return adopting(OrchestrationError, () => rules().uuidV7(now));
}

/** The id of a run: `wfr_` and 21 random characters. */
export const createWorkflowRunId = (): string => adopting(OrchestrationError, () => rules().runId());

/**
 * A short id as nanoid makes them, without bias.
 *
 * @param size characters, from 1 to 1024
 * @param alphabet 2 characters of ASCII or more, each once. Default: 64 that can stand in a URL
 * @throws {OrchestrationError} `InvalidConfiguration`
 */
export const nanoid = (size = 21, alphabet?: string): string =>
  adopting(OrchestrationError, () =>
    rules().randomText(Number.isInteger(size) && size < MOST_SIZE ? size : 0, alphabet),
  );

/** A UUID has 48 bits for its time. */
const TIME_LIMIT = 2 ** 48;
/** Larger numbers would lose their upper bits on the way to the rules, which refuse 0. */
const MOST_SIZE = 2 ** 32;
