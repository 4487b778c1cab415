/** How headers cross to the core: a line for each name and each value. Values are Latin-1, a character for each byte. */

/** From names and values in turn, as Node's `rawHeaders` are. */
export function linesOf(raw: readonly string[]): string {
  return raw.join("\n");
}

/** Names and values in turn. */
export function rawOf(lines: string): string[] {
  return lines === "" ? [] : lines.split("\n");
}

/** The values of each name, for Node's `setHeader`, under the name's first spelling. */
export function valuesOf(lines: string): [name: string, values: string[]][] {
  const raw = rawOf(lines);
  const headers = new Map<string, [string, string[]]>();
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const [name, value] = [raw[index] as string, raw[index + 1] as string];
    const known = headers.get(name.toLowerCase());
    if (known) known[1].push(value);
    else headers.set(name.toLowerCase(), [name, [value]]);
  }
  return [...headers.values()];
}
