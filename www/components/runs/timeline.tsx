"use client";

/** The steps of a run on an axis of time. Arrow keys move between them, Enter opens one. */
import clsx from "clsx";
import { type KeyboardEvent, type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { Bars } from "@/components/runs/bars";
import { barClass, KINDS, nameOf, SEGMENTS, STATES, spoken, tookOf } from "@/components/runs/signs";
import styles from "@/components/runs/timeline.module.css";
import { CheckField } from "@/components/ui/field";
import { Status } from "@/components/ui/status";
import { duration } from "@/lib/format";
import { type Axis, axisOf, hasIdle, type Span } from "@/lib/timeline/axis";
import type { Timeline as Model, Row } from "@/lib/timeline/model";

/** Names, then the axis; overlays of the axis begin at the same place. */
const NAMES = "[--names:clamp(9.5rem,32%,20rem)] max-sm:[--names:8.5rem]";
const TRACKS = "grid grid-cols-[var(--names)_minmax(0,1fr)]";
/** A tick's text needs so much room. */
const TICK_PX = 64;

export interface TimelineProps {
  timeline: Model;
  selected: string | undefined;
  onSelect: (key: string) => void;
  isCompressed: boolean;
  onCompress: (isCompressed: boolean) => void;
}

export function Timeline({ timeline, selected, onSelect, isCompressed, onCompress }: TimelineProps) {
  const now = useTimelineNow(timeline);
  const list = useRef<HTMLOListElement>(null);
  const [width, measure] = useWidth();
  const { rows, from } = timeline;
  const span = { from, to: timeline.to ?? now };
  const busy = useMemo(() => busyTimes(rows, now), [rows, now]);
  const isLong = hasIdle(span, busy);
  const axis = axisOf(span, busy, isCompressed);
  const current = Math.max(
    0,
    rows.findIndex(({ key }) => key === selected),
  );

  const move = (event: KeyboardEvent) => {
    const buttons = [...(list.current?.querySelectorAll<HTMLElement>("[data-row]") ?? [])];
    const at = buttons.indexOf(event.target as HTMLElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (at < 0 || next === undefined || !buttons[next]) return;
    event.preventDefault();
    buttons[next].focus();
  };

  return (
    <div className={NAMES}>
      <div className={clsx(TRACKS, "items-end")}>
        <div className="pb-1 pl-5 text-xs text-faint max-sm:pl-4">Step</div>
        <div ref={measure} className="relative mr-5 h-9 max-sm:mr-4">
          <Ruler axis={axis} width={width} />
        </div>
      </div>
      <ol ref={list} aria-label="Steps" onKeyDown={move} className="relative border-y border-line">
        <Grid axis={axis} width={width} />
        {rows.map((row, index) => (
          <li key={row.key} className="border-line not-last:border-b">
            <button
              type="button"
              data-row={row.key}
              data-state={row.state}
              // One stop for all; arrow keys move within.
              tabIndex={index === current ? 0 : -1}
              aria-current={row.key === selected || undefined}
              onClick={() => onSelect(row.key)}
              className={clsx(
                TRACKS,
                "relative h-9 w-full items-stretch text-left text-sm hover:bg-sunken focus-visible:outline-offset-[-2px] max-sm:h-11",
                row.key === selected &&
                  "bg-sunken before:absolute before:inset-y-0 before:left-0 before:w-1 before:bg-marker",
              )}
            >
              <span className="sr-only">{spoken(row, from, now, index + 1, rows.length)}</span>
              <Name row={row} now={now} isNarrow={width < 420} />
              <span className="relative mr-5 block max-sm:mr-4">
                <Bars row={row} axis={axis} now={now} />
              </span>
            </button>
          </li>
        ))}
      </ol>
      <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2 px-5 py-2 max-sm:px-4">
        <Legend rows={rows} />
        {isLong && (
          <CheckField
            label="Shorten idle time"
            checked={isCompressed}
            onChange={(event) => onCompress(event.target.checked)}
          />
        )}
      </div>
    </div>
  );
}

function Name({ row, now, isNarrow }: { row: Row; now: number; isNarrow: boolean }) {
  const [Icon] = KINDS[row.kind];
  const [tone, shape, word] = STATES[row.state];
  const took = tookOf(row, now);
  return (
    <span aria-hidden className="flex min-w-0 items-center gap-2 pr-3 pl-5 max-sm:pl-4">
      {row.branch && <Bracket index={row.branch.index} size={row.branch.size} />}
      <Icon size={14} aria-hidden className="shrink-0 text-faint" />
      <span className={clsx("min-w-0 flex-1 truncate", !row.name && "text-soft")} title={nameOf(row)}>
        {nameOf(row)}
      </span>
      {row.tries > 1 && !isNarrow && <span className="text-xs text-warn">×{row.tries}</span>}
      <span className="shrink-0 text-xs text-faint max-sm:hidden">{took === undefined ? "" : duration(took)}</span>
      <Status tone={tone} shape={shape} className="[&>span]:sr-only">
        {word}
      </Status>
    </span>
  );
}

/** Steps side by side are held together. */
function Bracket({ index, size }: { index: number; size: number }) {
  return (
    <span aria-hidden className="relative -ml-2 w-2 self-stretch">
      <span
        className={clsx(
          "absolute right-0 left-0 border-l-2 border-edge",
          index === 0 ? "top-1.5 border-t-2" : "top-[-1px]",
          index === size - 1 ? "bottom-1.5 border-b-2" : "bottom-0",
        )}
      />
    </span>
  );
}

/** Times at the top: since the beginning, and after an idle time since its end. */
function Ruler({ axis, width }: { axis: Axis; width: number }) {
  return (
    <div aria-hidden className="absolute inset-0 text-xs text-faint">
      {axis
        .ticks(TICK_PX / width)
        // The last may have no room for its text.
        .filter(({ place }) => place === 0 || (1 - place) * width >= TICK_PX * 0.75)
        .map(({ place, offset, origin }) => (
          <span
            key={`${origin} ${offset}`}
            className="absolute bottom-1 border-l border-edge pl-1 whitespace-nowrap"
            style={{ left: percent(place) }}
          >
            {origin > 0 && offset > 0 && "+"}
            {duration(offset === 0 ? origin : offset)}
          </span>
        ))}
      {axis.pieces
        .filter(({ isIdle }) => isIdle)
        .map(({ from, to, start, end }) => (
          <span
            key={from}
            title={`${duration(to - from)} in which nothing was to be done`}
            className={clsx(
              "absolute top-0 whitespace-nowrap text-soft",
              end > 0.94 ? "-translate-x-full" : "-translate-x-1/2",
            )}
            style={{ left: percent(end > 0.94 ? 1 : (start + end) / 2) }}
          >
            ⋯ {duration(to - from)}
          </span>
        ))}
    </div>
  );
}

function Grid({ axis, width }: { axis: Axis; width: number }) {
  return (
    <li aria-hidden className="pointer-events-none absolute inset-y-0 right-5 left-[var(--names)] max-sm:right-4">
      {axis.ticks(TICK_PX / width).map(({ place, offset, origin }) => (
        <span
          key={`${origin} ${offset}`}
          className="absolute inset-y-0 border-l border-line"
          style={{ left: percent(place) }}
        />
      ))}
      {axis.pieces
        .filter(({ isIdle }) => isIdle)
        .map(({ from, start, end }) => (
          <span
            key={from}
            className={clsx("absolute inset-y-0", styles.idle)}
            style={{ left: percent(start), width: percent(end - start) }}
          />
        ))}
    </li>
  );
}

/** Only what there is. */
function Legend({ rows }: { rows: readonly Row[] }) {
  const signs = new Map<string, ReactNode>();
  for (const { kind, segments } of rows) {
    for (const segment of segments) {
      if (segment.kind === "queue") continue;
      const name = barClass(segment.kind, kind);
      const word = segment.kind === "work" ? (kind === "next" ? KINDS.run[1] : KINDS[kind][1]) : SEGMENTS[segment.kind];
      signs.set(name, word);
    }
  }
  return (
    <ul aria-label="Signs" className="flex flex-wrap gap-x-4 gap-y-1 text-xs text-soft">
      {[...signs].map(([name, word]) => (
        <li key={name} className="inline-flex items-center gap-1.5">
          <span aria-hidden className={clsx("inline-block h-2.5 w-5", styles[name])} />
          {word}
        </li>
      ))}
    </ul>
  );
}

const percent = (part: number): string => `${100 * part}%`;

/** When something was to be done. A delivery that takes long to begin is none. */
function busyTimes(rows: readonly Row[], now: number): Span[] {
  return rows.flatMap(({ segments }) =>
    segments
      .filter(({ kind }) => kind === "work" || kind === "failed")
      .map(({ from, to }) => ({ from, to: Math.max(from + 1, to ?? now) })),
  );
}

/** The time while something goes on: about as often as it shows. */
function useTimelineNow({ from, to, latest, rows }: Model): number {
  const [now, setNow] = useState(() => Date.now());
  const isLive = to === undefined && rows.some(({ segments }) => segments.at(-1)?.to === undefined);
  const isLong = now - from > 60_000;
  useEffect(() => {
    if (!isLive) return;
    const isCalm = isLong || matchMedia("(prefers-reduced-motion: reduce)").matches;
    const timer = setInterval(() => setNow(Date.now()), isCalm ? 1_000 : 200);
    return () => clearInterval(timer);
  }, [isLive, isLong]);
  // A browser's clock may be behind the broker's.
  return Math.max(to ?? (isLive ? now : latest), latest);
}

function useWidth(): [width: number, ref: (element: HTMLElement | null) => void] {
  const [width, setWidth] = useState(600);
  const observer = useRef<ResizeObserver>(undefined);
  const [measure] = useState(() => (element: HTMLElement | null) => {
    observer.current?.disconnect();
    if (!element) return;
    observer.current = new ResizeObserver(() => setWidth(Math.max(1, element.clientWidth)));
    observer.current.observe(element);
  });
  return [width, measure];
}
