/** Where a text may lead: an id to its page, a name to what bears it, a word to a page of the dashboard. */
import { groupAt, letterAt, messageAt, messagesOf, runAt, runsLike, scheduleAt } from "@/lib/places";

export interface Target {
  title: string;
  href: string;
}

export interface TargetGroup {
  /** What they are: `Queues`. */
  value: string;
  items: Target[];
}

/** Names that are known. */
export interface Names {
  pages: readonly Target[];
  queues: readonly string[];
  groups: readonly string[];
  schedules: readonly string[];
  keys: readonly string[];
}

/** So many of a kind are offered. */
const OFFERED = 6;

/** What fits a text, the likeliest first; only the pages if there is none. */
export function targetsOf(text: string, names: Names): TargetGroup[] {
  const sought = text.trim();
  const id = idTarget(sought);
  const groups = [
    { value: id?.value ?? "", items: id ? [{ title: sought, href: id.href }] : [] },
    { value: "Pages", items: names.pages.filter(({ title }) => fits(title, sought)) },
    named("Queues", names.queues, sought, (name) => messagesOf({ queueName: name })),
    named("URL groups", names.groups, sought, groupAt),
    named("Schedules", names.schedules, sought, scheduleAt),
    named("Flow-control keys", names.keys, sought, (key) => messagesOf({ flowControlKey: key })),
    {
      value: "Search",
      items: sought === "" || id ? [] : [{ title: `Runs with the label “${sought}”`, href: runsLike(sought) }],
    },
  ];
  return groups.filter(({ items }) => items.length > 0);
}

const IDS: readonly [pattern: RegExp, value: string, hrefOf: (id: string) => string][] = [
  [/^wfr_\S+$/, "Run", runAt],
  [/^msg_\S+$/, "Message", messageAt],
  [/^scd_\S+$/, "Schedule", scheduleAt],
  // Milliseconds since 1970, and what tells those of one millisecond apart.
  [/^\d{13}-\S+$/, "Dead letter", letterAt],
];

function idTarget(text: string): { value: string; href: string } | undefined {
  const [, value, hrefOf] = IDS.find(([pattern]) => pattern.test(text)) ?? [];
  return value && hrefOf ? { value, href: hrefOf(text) } : undefined;
}

function named(value: string, all: readonly string[], sought: string, hrefOf: (name: string) => string): TargetGroup {
  const names = sought === "" ? [] : all.filter((name) => fits(name, sought)).slice(0, OFFERED);
  return { value, items: names.map((name) => ({ title: name, href: hrefOf(name) })) };
}

const fits = (name: string, sought: string): boolean => name.toLowerCase().includes(sought.toLowerCase());
