"use client";

/** Which runs are listed; it stands in the URL, by the broker's own names but for the search. */
import { SlidersHorizontal, X } from "lucide-react";
import { parseAsInteger, parseAsString, useQueryStates } from "nuqs";
import { useId, useState } from "react";
import { Button } from "@/components/ui/button";
import { SearchField, Select, TextField } from "@/components/ui/field";
import { Toolbar } from "@/components/ui/page";
import { RUN_SIGNS } from "@/components/ui/status";
import type { Query } from "@/lib/broker/transport";
import type { RunState } from "@/lib/broker/types";
import { dateTime } from "@/lib/format";

const PARSERS = {
  q: parseAsString.withDefault(""),
  state: parseAsString.withDefault(""),
  fromDate: parseAsInteger,
  toDate: parseAsInteger,
  flowControlKey: parseAsString.withDefault(""),
};

type Values = { q: string; state: string; fromDate: number | null; toDate: number | null; flowControlKey: string };

export interface RunFilters {
  values: Values;
  /** For the broker; hosted QStash has these parameters too. */
  query: Query;
  isSet: boolean;
  set: (change: Partial<Values>) => void;
  clear: () => void;
}

export function useRunFilters(): RunFilters {
  const [values, setValues] = useQueryStates(PARSERS);
  const { q, state, fromDate, toDate, flowControlKey } = values;
  return {
    values,
    query: {
      state,
      flowControlKey,
      fromDate: fromDate ?? undefined,
      // A second of the control is all of it.
      toDate: toDate === null ? undefined : toDate + 999,
      ...meant(q.trim()),
    },
    isSet: q !== "" || state !== "" || flowControlKey !== "" || fromDate !== null || toDate !== null,
    set: (change) =>
      void setValues(
        Object.fromEntries(Object.entries(change).map(([name, value]) => [name, value === "" ? null : value])),
      ),
    clear: () => void setValues(null),
  };
}

/** Run ids and URLs tell themselves, anything else is a label. */
function meant(text: string): Query {
  if (text.startsWith("wfr_")) return { workflowRunId: text };
  if (/^https?:\/\//.test(text)) return { workflowUrl: text };
  return { label: text };
}

const STATES = [
  { value: "", label: "Any status" },
  ...(Object.keys(RUN_SIGNS) as RunState[]).map((state) => ({ value: state, label: RUN_SIGNS[state][2] })),
];

export function RunFilterBar({ filters }: { filters: RunFilters }) {
  const { values, set } = filters;
  const [isOpen, setOpen] = useState(false);
  const panel = useId();
  return (
    <>
      <Toolbar>
        <SearchField label="Search label, run id or workflow URL" value={values.q} onChange={(q) => set({ q })} />
        <Select
          aria-label="Status"
          options={STATES}
          value={values.state}
          onChange={(event) => set({ state: event.target.value })}
        />
        <Button icon={SlidersHorizontal} aria-expanded={isOpen} aria-controls={panel} onClick={() => setOpen(!isOpen)}>
          Filters
        </Button>
        {values.fromDate !== null && (
          <Chip title="From" value={dateTime(values.fromDate)} onRemove={() => set({ fromDate: null })} />
        )}
        {values.toDate !== null && (
          <Chip title="To" value={dateTime(values.toDate)} onRemove={() => set({ toDate: null })} />
        )}
        {values.flowControlKey && (
          <Chip title="Flow control" value={values.flowControlKey} onRemove={() => set({ flowControlKey: "" })} />
        )}
      </Toolbar>
      <div id={panel} hidden={!isOpen} className="px-5 pb-4 max-sm:px-4">
        {isOpen && (
          <div className="grid max-w-3xl grid-cols-3 gap-x-4 gap-y-3 border-l-4 border-line pl-4 max-md:grid-cols-1">
            <TimeField label="From" value={values.fromDate} onChange={(fromDate) => set({ fromDate })} />
            <TimeField label="To" value={values.toDate} onChange={(toDate) => set({ toDate })} />
            <TextField
              key={values.flowControlKey}
              label="Flow-control key"
              defaultValue={values.flowControlKey}
              autoComplete="off"
              spellCheck={false}
              onBlur={(event) => set({ flowControlKey: event.target.value.trim() })}
              onKeyDown={(event) => event.key === "Enter" && set({ flowControlKey: event.currentTarget.value.trim() })}
            />
          </div>
        )}
      </div>
    </>
  );
}

function Chip({ title, value, onRemove }: { title: string; value: string; onRemove: () => void }) {
  return (
    <button
      type="button"
      onClick={onRemove}
      className="inline-flex h-8 max-w-72 items-center gap-1.5 rounded-md border border-edge bg-sunken px-2 text-sm max-sm:h-10"
    >
      <span className="sr-only">Remove the filter </span>
      <span className="text-faint">{title}</span>
      <span className="truncate">{value}</span>
      <X size={13} aria-hidden className="shrink-0 text-faint" />
    </button>
  );
}

interface TimeFieldProps {
  label: string;
  value: number | null;
  onChange: (at: number | null) => void;
}

function TimeField({ label, value, onChange }: TimeFieldProps) {
  return (
    <TextField
      key={value}
      label={label}
      type="datetime-local"
      step={1}
      defaultValue={local(value)}
      // Told when it is left: half a date is none.
      onBlur={(event) => onChange(momentOf(event.target.value))}
      onKeyDown={(event) => event.key === "Enter" && onChange(momentOf(event.currentTarget.value))}
    />
  );
}

/** A moment as the control writes it: this browser's time, without its zone. */
function local(at: number | null): string {
  if (at === null || Number.isNaN(new Date(at).getTime())) return "";
  return new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

function momentOf(text: string): number | null {
  const at = text === "" ? Number.NaN : new Date(text).getTime();
  return Number.isNaN(at) ? null : at;
}
