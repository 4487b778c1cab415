"use client";

import clsx from "clsx";
import { BEFORE, barClass, SEGMENTS } from "@/components/runs/signs";
import styles from "@/components/runs/timeline.module.css";
import { duration } from "@/lib/format";
import type { Axis } from "@/lib/timeline/axis";
import type { Row } from "@/lib/timeline/model";

/** What happened in one step, with a tick where each attempt began. */
export function Bars({ row, axis, now }: { row: Row; axis: Axis; now: number }) {
  return (
    <span aria-hidden className="absolute inset-0">
      {row.isCarried && (
        <span className="absolute inset-y-0 left-1 flex items-center text-xs text-faint">{BEFORE}</span>
      )}
      {row.segments.map(({ kind, from, to }) => {
        const start = axis.placeOf(from);
        const isThin = kind === "queue" || kind === "gap";
        return (
          <span
            key={`${kind} ${from}`}
            title={`${SEGMENTS[kind]}, ${duration((to ?? now) - from)}`}
            className={clsx(
              "absolute",
              isThin ? "inset-y-3.5" : "inset-y-[11px]",
              !isThin && "min-w-[3px]",
              styles[barClass(kind, row.kind)],
              to === undefined && styles.open,
            )}
            style={{ left: `${100 * start}%`, width: `${100 * (axis.placeOf(to ?? now) - start)}%` }}
          />
        );
      })}
      {row.tries > 1 &&
        row.attempts.map(({ from, outcome }) => (
          <span
            key={from}
            className={clsx("absolute inset-y-1.5 w-px", outcome === "failed" ? "bg-bad" : "bg-ink")}
            style={{ left: `${100 * axis.placeOf(from)}%` }}
          />
        ))}
    </span>
  );
}
