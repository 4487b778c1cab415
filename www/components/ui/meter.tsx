"use client";

import { count } from "@/lib/format";

/** How much of a limit is used; a limit of 0 is none. */
export function Meter({ label, value, max, unit }: { label: string; value: number; max: number; unit?: string }) {
  const tail = unit ? ` ${unit}` : "";
  if (max <= 0) return <span className="text-faint">{value > 0 ? `${count(value)}, no limit` : "no limit"}</span>;
  const isFull = value >= max;
  return (
    <span className="inline-flex w-full max-w-56 items-center gap-2">
      <span
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={max}
        aria-valuenow={Math.min(value, max)}
        aria-valuetext={`${count(value)} of ${count(max)}${tail}`}
        className="block h-2 min-w-10 flex-1 border border-edge bg-sunken"
      >
        <span
          className={`block h-full ${isFull ? "bg-warn" : "bg-run"}`}
          style={{ width: `${Math.min(100, (100 * value) / max)}%` }}
        />
      </span>
      <span className="whitespace-nowrap" aria-hidden>
        {count(value)}/{count(max)}
        {tail}
      </span>
    </span>
  );
}
