"use client";

/** What lists of messages, of log entries and of dead letters are filtered by; it stands in the URL, by the broker's own names. */
import { SlidersHorizontal, X } from "lucide-react";
import { parseAsString, type SingleParserBuilder, useQueryState, useQueryStates } from "nuqs";
import { type ReactNode, useId, useState } from "react";
import { Button } from "@/components/ui/button";
import { SearchField, TextField } from "@/components/ui/field";
import { Toolbar } from "@/components/ui/page";
import type { Query } from "@/lib/broker/transport";
import { useBroker } from "@/lib/broker/use";
import { dateTime } from "@/lib/format";

interface Filter {
  title: string;
  hint?: string;
  /** A moment, in milliseconds since 1970. */
  isTime?: boolean;
  /** Where the names that may be meant are listed, and as which member. */
  names?: [path: string, member: string];
}

export const FILTERS = {
  messageId: { title: "Message id" },
  workflowRunId: { title: "Run id" },
  url: { title: "Destination", hint: "The whole URL." },
  workflowUrl: { title: "Workflow", hint: "The whole URL." },
  label: { title: "Label" },
  queueName: { title: "Queue", names: ["/v2/queues", "name"] },
  topicName: { title: "URL group", names: ["/v2/topics", "name"] },
  scheduleId: { title: "Schedule", names: ["/v2/schedules", "scheduleId"] },
  flowControlKey: { title: "Flow-control key", names: ["/v2/flowControl", "flowControlKey"] },
  failureFunctionState: { title: "Failure function", hint: "CALLBACK_SUCCESS, CALLBACK_FAIL, …" },
  responseStatus: { title: "Status of the answer", hint: "Such as 500." },
  fromDate: { title: "From", isTime: true },
  toDate: { title: "To", isTime: true },
} as const satisfies Record<string, Filter>;

export type FilterName = keyof typeof FILTERS;

const definition = (name: FilterName): Filter => FILTERS[name];

type Values = Record<string, string>;

export interface Filters {
  names: readonly FilterName[];
  /** What was typed into the search. */
  q: string;
  values: Values;
  /** For the broker. */
  query: Query;
  /** Whether any is set. */
  isSet: boolean;
  set: (name: FilterName | "q", value: string) => void;
  clear: () => void;
}

/** `names` is constant. */
export function useFilters(names: readonly FilterName[]): Filters {
  const [parsers] = useState(
    () =>
      Object.fromEntries(names.map((name) => [name, parseAsString.withDefault("")])) as Record<
        string,
        SingleParserBuilder<string> & { defaultValue: string }
      >,
  );
  const [values, setValues] = useQueryStates(parsers);
  const [q, setQ] = useQueryState("q", parseAsString.withDefault(""));
  const known = values as Values;
  return {
    names,
    q,
    values: known,
    query: { ...known, ...wholeSecond(known.toDate), ...meant(q, names) },
    isSet: q !== "" || names.some((name) => known[name]),
    set: (name, value) => void (name === "q" ? setQ(value || null) : setValues({ [name]: value || null })),
    clear: () => {
      void setQ(null);
      void setValues(null);
    },
  };
}

/** A field for times has seconds: the one that is named belongs to the range. */
const wholeSecond = (to: string | undefined): Query =>
  to && Number(to) % 1000 === 0 ? { toDate: String(Number(to) + 999) } : {};

/** What a search means: ids and URLs tell themselves, anything else is a label. */
function meant(q: string, names: readonly FilterName[]): Query {
  const text = q.trim();
  if (text === "") return {};
  const prefixes: [prefix: string, name: FilterName][] = [
    ["msg_", "messageId"],
    ["wfr_", "workflowRunId"],
    ["http", names.includes("workflowUrl") ? "workflowUrl" : "url"],
  ];
  const [, name = "label"] = prefixes.find(([prefix, known]) => text.startsWith(prefix) && names.includes(known)) ?? [];
  return { [name]: text };
}

export function FilterBar({ filters, search, children }: { filters: Filters; search: string; children?: ReactNode }) {
  const [isOpen, setOpen] = useState(false);
  const panel = useId();
  const active = filters.names.filter((name) => filters.values[name]);
  return (
    <>
      <Toolbar>
        <SearchField label={search} value={filters.q} onChange={(text) => filters.set("q", text)} />
        {children}
        <Button icon={SlidersHorizontal} aria-expanded={isOpen} aria-controls={panel} onClick={() => setOpen(!isOpen)}>
          Filters
        </Button>
        {active.map((name) => (
          <Chip
            key={name}
            title={definition(name).title}
            value={shown(name, filters.values[name] ?? "")}
            onRemove={() => filters.set(name, "")}
          />
        ))}
      </Toolbar>
      <div id={panel} hidden={!isOpen} className="px-5 pb-4 max-sm:px-4">
        {isOpen && (
          <div className="grid max-w-4xl grid-cols-4 gap-x-4 gap-y-3 border-l-4 border-line pl-4 max-lg:grid-cols-3 max-md:grid-cols-2">
            {filters.names.map((name) => (
              <FilterField
                key={name + filters.values[name]}
                name={name}
                value={filters.values[name] ?? ""}
                onChange={(value) => filters.set(name, value)}
              />
            ))}
          </div>
        )}
      </div>
    </>
  );
}

const shown = (name: FilterName, value: string): string => {
  if (!definition(name).isTime) return value;
  return isMoment(Number(value)) ? dateTime(Number(value)) : value;
};

function Chip({ title, value, onRemove }: { title: string; value: string; onRemove: () => void }) {
  return (
    <button
      type="button"
      aria-label={`Remove the filter ${title} ${value}`}
      onClick={onRemove}
      className="inline-flex h-8 max-w-64 items-center gap-1.5 rounded-md border border-edge bg-sunken px-2 text-sm max-sm:h-10"
    >
      <span className="text-faint">{title}</span> <span className="truncate">{value}</span>
      <X size={13} aria-hidden className="shrink-0 text-faint" />
    </button>
  );
}

/** Told when the field is left, or at Enter. */
function FilterField({
  name,
  value,
  onChange,
}: {
  name: FilterName;
  value: string;
  onChange: (value: string) => void;
}) {
  const { title, hint, isTime, names } = definition(name);
  const [text, setText] = useState(() => (isTime ? local(value) : value));
  const list = useId();
  const { data } = useBroker<Record<string, unknown>[]>(names?.[0] ?? null);
  const options = (Array.isArray(data) ? data : []).flatMap((item) => {
    const option = names && item[names[1]];
    return typeof option === "string" ? [option] : [];
  });
  const tell = () => {
    const next = isTime ? milliseconds(text) : text.trim();
    if (next !== value) onChange(next);
  };
  return (
    <>
      <TextField
        label={title}
        hint={hint}
        value={text}
        {...(isTime ? { type: "datetime-local", step: 1 } : { type: "text", autoComplete: "off", spellCheck: false })}
        {...(options.length > 0 ? { list } : {})}
        onChange={(event) => setText(event.target.value)}
        onBlur={tell}
        onKeyDown={(event) => event.key === "Enter" && tell()}
      />
      {options.length > 0 && (
        <datalist id={list}>
          {options.map((option) => (
            <option key={option} value={option} />
          ))}
        </datalist>
      )}
    </>
  );
}

/** What a `Date` can hold. */
const isMoment = (at: number): boolean => !Number.isNaN(new Date(at).getTime());

/** Milliseconds as the control writes them: this browser's time, without its zone. */
function local(value: string): string {
  const at = Number(value);
  if (value === "" || !isMoment(at)) return "";
  return new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

function milliseconds(text: string): string {
  const at = text === "" ? Number.NaN : new Date(text).getTime();
  return Number.isNaN(at) ? "" : String(at);
}
