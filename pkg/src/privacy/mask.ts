/** Hiding secrets in what is logged. Which names and texts are secrets is decided in Rust; walking through values is done here. */
import { ConfigurationError } from "../errors.js";
import { rules } from "../rules/rules.js";
import { Masker } from "./masker.js";
import { MASKED, Names } from "./names.js";

/** What is hidden beside what is known to be secret, and how. */
export interface MaskOptions {
  /** More names of secrets. A text stands for itself in any spelling: `internalCode` is `internal_code` too. */
  keys?: readonly (string | RegExp)[] | undefined;
  /** Names whose texts and numbers are shown as they are, whatever they look like and wherever they stand. */
  allow?: readonly (string | RegExp)[] | undefined;
  /** What stands for a secret. Default: `[masked]`, and within texts what it was too, such as `[masked jwt]` */
  mask?: string | undefined;
  /** Objects within objects, from 1 to 1000; what is deeper is left out. Default: 100 */
  maxDepth?: number | undefined;
}

const DEFAULT_DEPTH = 100;
/** Deeper ones might exhaust the stack. */
const MOST_DEPTH = 1_000;

/**
 * A copy in which secrets are hidden; what it is given stays as it is.
 *
 * ```ts
 * console.log(maskSensitiveData({ user: "anna", password: "hunter2", url: "https://x.test/?token=abc" }));
 * // { user: 'anna', password: '[masked]', url: 'https://x.test/?token=[masked value]' }
 * ```
 *
 * Secrets are the values of members, entries of maps, headers and parameters with a secret's name, with everything below
 * them, and what looks like a secret in any text: API keys, bearer tokens, JWTs, cards, e-mail addresses, private keys,
 * passwords in URLs. Objects keep their prototype, cycles stay cycles. Functions and bytes become texts that describe them,
 * requests and responses objects that do, and what has a `toJSON` becomes what that gives. It never throws for a value.
 *
 * @throws {ConfigurationError} for options that are wrong
 */
export function maskSensitiveData<T>(value: T, options: MaskOptions = {}): T {
  const { keys = [], allow = [], mask = MASKED, maxDepth = DEFAULT_DEPTH } = options;
  if (!Number.isInteger(maxDepth) || maxDepth < 1 || maxDepth > MOST_DEPTH)
    throw new ConfigurationError(`maxDepth of masking has to be a whole number from 1 to ${MOST_DEPTH}`);
  if (typeof mask !== "string") throw new ConfigurationError("mask has to be the text that stands for secrets");
  for (const [option, names] of Object.entries({ keys, allow }))
    if (!Array.isArray(names) || !names.every((name) => typeof name === "string" || name instanceof RegExp))
      throw new ConfigurationError(`${option} of masking has to be a list of names and regular expressions`);
  return new Masker(new Names(keys, allow), mask, maxDepth).masked(value) as T;
}

/** The text with what looks like a secret in it masked, such as `[masked jwt]`. Takes time linear in its length. */
export function maskText(text: string): string {
  return rules().maskText(text) ?? text;
}

/** Whether what has this name is a secret: `password`, `X-Api-Key`, and not `passwordPolicy` or `maxTokens`. */
export function isSecretName(name: string): boolean {
  return rules().isSecretName(name);
}
