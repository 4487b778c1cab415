/** Ids that nobody guesses, from Web Crypto's random bytes. */
import { adopting, OrchestrationError } from "../errors.js";
import { rules } from "../rules/rules.js";

/** A random UUID of version 4 (RFC 9562): 122 random bits. */
export const uuidV4 = (): string => adopting(OrchestrationError, () => rules().uuidV4());

/**
 * A UUID of version 7 (RFC 9562), which begins with the time: later ones sort behind.
 *
 * @param now Unix milliseconds. Default: now
 */
export const uuidV7 = (now: number = Date.now()): string => adopting(OrchestrationError, () => rules().uuidV7(now));

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
  adopting(OrchestrationError, () => rules().randomText(size, alphabet));
