/** What is typed into forms: nothing if it is fine, else what was expected. */

const PLAIN = /^[A-Za-z0-9._-]{1,256}$/;

/** Whether it can be the name of a queue, a group, a schedule, a key or a label. */
export const isPlain = (text: string): boolean => PLAIN.test(text);

export const nameError = (text: string, what: string): string | undefined =>
  isPlain(text) ? undefined : text === "" ? `Give ${what}.` : "Letters, digits, “-”, “_” and “.” only, at most 256.";

/** Empty is fine. */
export const optionalNameError = (text: string, what: string): string | undefined =>
  text === "" ? undefined : nameError(text, what);

export function urlError(text: string): string | undefined {
  if (text === "") return "Give a URL.";
  if (!/^https?:\/\//i.test(text)) return "A URL begins with https:// or http://.";
  if (/\s/.test(text)) return "A URL holds no blanks.";
  return URL.canParse(text) ? undefined : "That is no URL.";
}

/** Empty is fine. */
export const optionalUrlError = (text: string): string | undefined => (text === "" ? undefined : urlError(text));

/** A URL or the name of a URL group. */
export function destinationError(text: string): string | undefined {
  if (text === "") return "Give a URL or the name of a URL group.";
  return isPlain(text) && !/^https?:/i.test(text)
    ? undefined
    : text.includes(":") || text.includes("/")
      ? urlError(text)
      : "A URL or the name of a URL group.";
}

/** A whole number; empty is fine unless it is required. */
export function numberError(
  text: string,
  { least = 0, most = Number.MAX_SAFE_INTEGER, isRequired = false } = {},
): string | undefined {
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  if (text.trim() === "") return isRequired ? `A whole number ${range}.` : undefined;
  const value = Number(text);
  return /^\d+$/.test(text.trim()) && value >= least && value <= most ? undefined : `A whole number ${range}.`;
}

/** The number of a field; nothing if it is empty. */
export const numberOf = (text: string): number | undefined => (text.trim() === "" ? undefined : Number(text));

/** Lines of `Name: value`. @throws {Error} that names the line */
export function parseHeaders(text: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).trim();
    const value = line.slice(colon + 1).trim();
    if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name))
      throw new Error(`Each line is a name, a colon and a value; this one is not: ${line.trim()}`);
    if (/^upstash-/i.test(name)) throw new Error(`${name} is the broker’s own: headers here go to the destination.`);
    if (/^content-type$/i.test(name)) throw new Error("Content-Type has a field of its own.");
    if (!/^[\x20-\x7e\xa0-\xff\t]*$/.test(value))
      throw new Error(`The value of ${name} has characters that headers can’t carry.`);
    if (value === "") throw new Error(`${name} has no value.`);
    const same = Object.keys(headers).find((known) => known.toLowerCase() === name.toLowerCase()) ?? name;
    // A name that comes again adds to its value, as HTTP has it.
    headers[same] = headers[same] === undefined ? value : `${headers[same]}, ${value}`;
  }
  return headers;
}

export function headersError(text: string): string | undefined {
  try {
    parseHeaders(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** What says JSON must be JSON. */
export function bodyError(body: string, contentType: string): string | undefined {
  if (body === "" || !/^application\/json\b/i.test(contentType)) return undefined;
  try {
    JSON.parse(body);
    return undefined;
  } catch (error) {
    return `That is no JSON: ${(error as Error).message}`;
  }
}

const UNIT_SECONDS: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** The seconds of `90s`, `10m` or `1d12h`; nothing if it is none of them. */
export function secondsOf(text: string): number | undefined {
  const plain = text.trim();
  if (!/^(\d+[smhd])+$/.test(plain)) return undefined;
  return [...plain.matchAll(/(\d+)([smhd])/g)].reduce(
    (sum, [, number, unit = "s"]) => sum + Number(number) * (UNIT_SECONDS[unit] ?? 1),
    0,
  );
}

/** Empty is fine. */
export const optionalSpanError = (text: string): string | undefined =>
  text.trim() === "" || secondsOf(text) !== undefined ? undefined : "Numbers with units, such as 30s, 10m or 1d12h.";
