"use client";

import clsx from "clsx";
import { useId } from "react";
import { RANGES } from "@/lib/metrics/ranges";

/** Which span of time: a group of radio buttons, so arrow keys choose. */
export function RangeChoice({ value, onChange }: { value: string; onChange: (id: string) => void }) {
  const name = useId();
  return (
    <fieldset className="flex rounded-md border border-edge bg-surface">
      <legend className="sr-only">Time range</legend>
      {RANGES.map(({ id, title }) => (
        <label
          key={id}
          className={clsx(
            "flex h-8 cursor-pointer items-center border-edge px-2.5 text-sm not-first-of-type:border-l has-[:focus-visible]:outline-2 has-[:focus-visible]:outline-focus max-sm:h-10",
            id === value ? "bg-ink font-medium text-invert" : "text-soft hover:bg-sunken hover:text-ink",
          )}
        >
          <input
            type="radio"
            name={name}
            value={id}
            checked={id === value}
            onChange={() => onChange(id)}
            className="sr-only"
          />
          {title}
        </label>
      ))}
    </fieldset>
  );
}
