/** What an error is about, as it may be logged. */
import { maskSensitiveData } from "../privacy/mask.js";

export type Details = Readonly<Record<string, unknown>>;

const CIRCULAR = "[circular]";

/** A copy without secrets that can always be written as JSON: circles are cut, maps and sets are objects and lists. */
export function safeDetails(details: Details): Details {
  return JSON.parse(JSON.stringify(maskSensitiveData(details), cuttingCircles())) as Details;
}

/** A replacer for one value: it keeps those that it is within, and what it made of each. */
function cuttingCircles(): (this: unknown, name: string, value: unknown) => unknown {
  const within: { original: object; shown: object }[] = [];
  return function (_, value) {
    if (typeof value === "bigint") return String(value);
    if (typeof value !== "object" || value === null) return value;
    while (within.length > 0 && within.at(-1)?.shown !== this) within.pop();
    if (within.some(({ original }) => original === value)) return CIRCULAR;
    const shown = plain(value);
    within.push({ original: value, shown });
    return shown;
  };
}

function plain(value: object): object {
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, each]) => [String(name), each]));
  if (value instanceof Set) return [...value];
  if (value instanceof Error) {
    const { name, message, cause } = value;
    return { ...value, name, message, ...(cause === undefined ? {} : { cause }) };
  }
  return value;
}
