/** Durations as texts, such as `10s` or `1d10h`. */

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The milliseconds of a text such as `10s` or `1d10h`; `undefined` if it is none. */
export function durationMs(text: unknown): number | undefined {
  if (typeof text !== "string" || !/^(\d+[smhd])+$/.test(text)) return undefined;
  let milliseconds = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)([smhd])/g))
    milliseconds += Number(amount) * (UNITS[unit as string] as number);
  return milliseconds;
}
