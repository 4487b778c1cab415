/** Options as callers without types may give them. */
import { ConfigurationError } from "./errors/typed.js";

/** Every option of a type; the compiler sees that none is missing. */
export type OptionNames<T extends object> = Record<keyof T, true>;

/**
 * The options, if they are an object that has no others than these: a misspelt one would be without effect.
 *
 * @param of what takes them, for the error
 * @throws {ConfigurationError}
 */
export function optionsOf<T extends object>(
  of: string,
  options: T | undefined,
  names: Readonly<Record<string, true>>,
): T {
  const given: unknown = options ?? {};
  if (typeof given !== "object") throw new ConfigurationError(`${of} takes an object of options, not ${typeof given}`);
  for (const name of Object.keys(given as object))
    if (!Object.hasOwn(names, name))
      throw new ConfigurationError(`${of} has no option '${name}'; there are: ${Object.keys(names).join(", ")}`);
  return given as T;
}
