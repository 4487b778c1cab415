/** Time zones: of cron expressions, and of this browser. */

const ZONE = /^(?:CRON_TZ|TZ)=(\S*)(?:\s+|$)/;

/** The zone in front of an expression, and the rest of it. */
export function splitZone(text: string): { timeZone: string | undefined; fields: string } {
  const [prefix, timeZone] = ZONE.exec(text.trim()) ?? [];
  return {
    timeZone,
    fields: text
      .trim()
      .slice(prefix?.length ?? 0)
      .trim(),
  };
}

/** Whether this browser knows a zone of this name. */
export function isTimeZone(name: string): boolean {
  // Offsets are no names of places.
  if (!/^[a-z]/i.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export const zoneHere = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;
