/**
 * Cron expressions as the broker reads them (`docs/broker.md`): five fields, `@daily` and the like, a zone in front.
 * Reading them here tells what is wrong before anything is sent; the times are {@link https://croner.56k.guru | croner}'s.
 */
import { Cron } from "croner";
import { toString as describe } from "cronstrue";
import { isTimeZone, splitZone } from "@/lib/zone";

/** An expression that can't be wrong any more. */
export interface CronExpression {
  /** Without the zone in front. */
  fields: string;
  /** IANA name. */
  timeZone: string;
  /** In words. */
  sentence: string;
  /** The next times after `after`, in milliseconds since 1970. */
  next: (after: number, many: number) => number[];
}

const SHAPE = "five fields: minute, hour, day of the month, month, weekday; such as 0 4 * * *";

/** @throws {Error} that says what was expected and what came */
export function parseCron(text: string, zoneIfNone = "UTC"): CronExpression {
  const { timeZone = zoneIfNone, fields } = splitZone(text);
  if (!isTimeZone(timeZone))
    throw new Error(`Expected the name of a time zone such as Europe/Berlin, got ${quoted(timeZone)}.`);
  const plain = fields.startsWith("@") ? meaning(fields) : fields;
  const parts = plain.split(/\s+/).filter(Boolean);
  if (parts.length !== KINDS.length) throw new Error(`Expected ${SHAPE}; got ${quoted(fields)}.`);
  const lists = KINDS.map((kind, index) => numbers(kind, parts[index] as string));
  const startsWithStar = parts.map((part) => part.startsWith("*"));
  const areTimesOfDay = !startsWithStar[0] && !startsWithStar[1];
  const bothDays = Boolean(startsWithStar[2] || startsWithStar[4]);
  const cron = new Cron(areTimesOfDay ? lists.map(joined).join(" ") : withRhythm(lists), {
    timezone: timeZone,
    mode: "5-part",
    domAndDow: bothDays,
    // As Paul Vixie's cron when clocks change, and as the broker.
    fixedTimeRule: "no-wildcard",
  });
  if (cron.nextRun() === null) throw new Error(`Expected days that exist, got ${quoted(fields)}.`);
  return {
    fields,
    timeZone,
    sentence: sentence(parts.join(" "), bothDays),
    next: (after, many) => cron.nextRuns(many, new Date(after)).map((date) => date.getTime()),
  };
}

function sentence(fields: string, logicalAndDayFields: boolean): string {
  try {
    const text = describe(fields, { use24HourTimeFormat: true, logicalAndDayFields });
    // It says “and” of two kinds of days where one of them is enough.
    return logicalAndDayFields ? text : text.replace(", and on ", ", or on ");
  } catch {
    // It throws texts; the times below it tell as much.
    return "";
  }
}

interface Kind {
  what: string;
  first: number;
  last: number;
  /** Names of the numbers from `first` on. */
  names: readonly string[];
}

const KINDS: readonly Kind[] = [
  { what: "minutes", first: 0, last: 59, names: [] },
  { what: "hours", first: 0, last: 23, names: [] },
  { what: "days of the month", first: 1, last: 31, names: [] },
  { what: "months", first: 1, last: 12, names: "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ") },
  { what: "weekdays", first: 0, last: 7, names: "SUN MON TUE WED THU FRI SAT".split(" ") },
];

const WORDS: Record<string, string> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

function meaning(word: string): string {
  const fields = WORDS[word.toLowerCase()];
  if (fields === undefined) throw new Error(`Expected one of ${Object.keys(WORDS).join(", ")}; got ${quoted(word)}.`);
  return fields;
}

/** What a field allows, in order; Sunday is 0. */
function numbers(kind: Kind, field: string): number[] {
  const found = field.split(",").flatMap((item) => {
    const values = itemOf(kind, item);
    if (values !== undefined) return values;
    const names = kind.names.length > 0 ? ` or ${kind.names.join(" ")}` : "";
    throw new Error(
      `Expected ${kind.what} from ${kind.first} to ${kind.last}${names}: a value, a range 1-5 or *, perhaps with a step /2, joined by commas; got ${quoted(item)}.`,
    );
  });
  const plain = kind.last === 7 ? found.map((value) => value % 7) : found;
  return [...new Set(plain)].sort((one, other) => one - other);
}

/** `*`, a value or a range, and perhaps a step. */
function itemOf(kind: Kind, item: string): number[] | undefined {
  const [range = "", stepText, ...tooMany] = item.split("/");
  const step = stepText === undefined ? 1 : digits(stepText);
  if (tooMany.length > 0 || step === undefined || step === 0) return undefined;
  const isWeek = kind.last === 7;
  const openEnd = isWeek ? 6 : kind.last;
  const [from = "", to, ...more] = range.split("-");
  let first: number | undefined;
  let last: number | undefined;
  if (range === "*") [first, last] = [kind.first, openEnd];
  else if (to === undefined) {
    first = numberOf(kind, from);
    last = stepText === undefined ? first : openEnd;
  } else {
    first = numberOf(kind, from);
    last = numberOf(kind, to);
    // A week may be said to end with Sunday.
    if (isWeek && last === 0 && first !== undefined && first > 0) last = 7;
  }
  if (more.length > 0 || first === undefined || last === undefined || first > last) return undefined;
  const values: number[] = [];
  for (let value = first; value <= last; value += step) values.push(value);
  return values;
}

function numberOf({ first, last, names }: Kind, text: string): number | undefined {
  const named = names.indexOf(text.toUpperCase());
  if (named >= 0) return first + named;
  const value = digits(text);
  return value !== undefined && value >= first && value <= last ? value : undefined;
}

const digits = (text: string): number | undefined => (/^[0-9]+$/.test(text) ? Number(text) : undefined);
const joined = (values: readonly number[]): string => values.join(",");

/** A step, which does nothing, tells croner that the expression goes by the clock on the wall. */
function withRhythm(lists: readonly number[][]): string {
  const [minutes = [], ...rest] = lists;
  return [minutes.map((value) => `${value}-${value}/1`).join(","), ...rest.map(joined)].join(" ");
}

const quoted = (text: string): string =>
  text === "" ? "nothing" : `“${text.length > 40 ? `${text.slice(0, 40)}…` : text}”`;
