"use client";

/** The numbers that tell how the broker is doing, each with its course over the window. */
import clsx from "clsx";
import Link from "next/link";
import { useNow } from "@/components/ui/time";
import type { Metrics } from "@/lib/broker/types";
import { count, duration, percent } from "@/lib/format";
import {
  attemptsOf,
  errorShareOf,
  isBeyond,
  levelsOf,
  minutesOf,
  quantileOf,
  rateOf,
  totalOf,
} from "@/lib/metrics/series";
import type { Counted } from "@/lib/metrics/use";

export function Figures({ metrics, counted }: { metrics: Metrics; counted?: Counted | undefined }) {
  const now = useNow();
  const { series, latencyBounds, backlog, runs, deadLetters } = metrics;
  const total = totalOf(series);
  const levels = levelsOf(metrics);
  const attempts = attemptsOf(total);
  const share = errorShareOf(total);
  const latency = (quantile: number) => latencyText(latencyBounds, quantileOf(latencyBounds, total.latency, quantile));
  const course = (of: (bucket: Metrics["series"][number]) => number | undefined) => series.map(of);
  const quantiles = (quantile: number) => course(({ latency: counts }) => quantileOf(latencyBounds, counts, quantile));
  return (
    <dl className="grid grid-cols-2 gap-px border-y border-line bg-line lg:grid-cols-5">
      <Figure
        name="Throughput"
        value={rateText(rateOf(metrics, attemptsOf))}
        unit="attempts/min"
        course={course((bucket) => attemptsOf(bucket) / minutesOf(metrics, bucket))}
      />
      <Figure
        name="Error rate"
        value={share === undefined ? "–" : percent(total.errors, attempts).replace(/ %$/, "")}
        unit={share === undefined ? "no attempts" : "% of attempts"}
        tone={share !== undefined && share >= 0.05 ? "bad" : undefined}
        course={course(errorShareOf)}
        href="/logs?state=ERROR"
      />
      <Figure name="Latency p50" {...latency(0.5)} course={quantiles(0.5)} />
      <Figure name="Latency p99" {...latency(0.99)} course={quantiles(0.99)} />
      <Figure
        name="Backlog"
        value={count(backlog.waiting)}
        unit={counted ? "waiting, of this time" : `waiting, ${count(backlog.due)} due`}
        href="/messages"
        course={levels.map(({ backlog: level }) => level ?? undefined)}
      />
      <Figure
        name="Oldest message"
        {...split(backlog.oldestAt === undefined || now === 0 ? undefined : now - backlog.oldestAt)}
        unitAfter={counted ? "waiting, of this time" : "waiting"}
        course={levels.map(({ oldestMs }) => oldestMs ?? undefined)}
      />
      <Figure
        name="Runs active"
        value={atLeast(runs.active, counted?.hasMoreRuns)}
        unit="now"
        href="/runs?state=RUN_STARTED"
        course={course(({ runsStarted }) => runsStarted)}
      />
      <Figure
        name="Runs succeeded"
        value={count(total.runsSucceeded)}
        unit={total.runsSucceeded === 1 ? "run" : "runs"}
        href="/runs?state=RUN_SUCCESS"
        course={course(({ runsSucceeded }) => runsSucceeded)}
      />
      <Figure
        name="Runs failed"
        value={count(total.runsFailed)}
        unit={total.runsFailed === 1 ? "run" : "runs"}
        tone={total.runsFailed > 0 ? "bad" : undefined}
        href="/runs?state=RUN_FAILED"
        course={course(({ runsFailed }) => runsFailed)}
      />
      <Figure
        name="Dead letters"
        value={atLeast(deadLetters, counted?.hasMoreDeadLetters)}
        unit="kept"
        tone={deadLetters > 0 ? "bad" : undefined}
        href="/dlq"
        course={course(({ failed }) => failed)}
      />
    </dl>
  );
}

/** `100+` if not all were counted. */
const atLeast = (value: number, hasMore = false): string => `${count(value)}${hasMore ? "+" : ""}`;

interface FigureProps {
  name: string;
  value: string;
  unit: string;
  unitAfter?: string;
  tone?: "bad" | undefined;
  href?: string;
  course?: (number | undefined)[];
}

function Figure({ name, value, unit, unitAfter, tone, href, course }: FigureProps) {
  return (
    <div
      className={clsx("group relative flex flex-col bg-paper px-5 pt-2.5 pb-2 max-sm:px-4", href && "hover:bg-sunken")}
    >
      <dt className="text-xs text-faint">
        {href ? (
          <Link href={href} className="group-hover:text-ink group-hover:underline after:absolute after:inset-0">
            {name}
          </Link>
        ) : (
          name
        )}
      </dt>
      <dd className="flex items-baseline gap-1.5 whitespace-nowrap">
        <span
          className={clsx("text-2xl leading-8 font-medium tracking-tight", tone === "bad" && "text-bad")}
          data-figure={name}
        >
          {value}
        </span>
        <span className="truncate text-xs text-faint">
          {unit} {value !== "–" && unitAfter}
        </span>
      </dd>
      <Course values={course} tone={tone} />
    </div>
  );
}

const COURSE_PX = { width: 120, height: 20 };

/** The course over the window as a line, without numbers: the charts have those. */
function Course({ values, tone }: { values: (number | undefined)[] | undefined; tone?: "bad" | undefined }) {
  const { width, height } = COURSE_PX;
  const most = Math.max(0, ...(values ?? []).map((value) => value ?? 0));
  const x = (index: number): string => ((index / Math.max(1, (values?.length ?? 1) - 1)) * width).toFixed(1);
  const y = (value: number): string => (height - 1 - (most === 0 ? 0 : value / most) * (height - 3)).toFixed(1);
  const path = values?.reduce<{ path: string; isOn: boolean }>(
    (line, value, index) =>
      value === undefined
        ? { path: line.path, isOn: false }
        : { path: `${line.path}${line.isOn ? "L" : "M"}${x(index)} ${y(value)}`, isOn: true },
    { path: "", isOn: false },
  ).path;
  return (
    <svg
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      aria-hidden
      className={clsx("mt-1 h-5 w-full", tone === "bad" ? "text-bad" : "text-edge")}
    >
      {path && (
        <path
          d={path}
          fill="none"
          stroke="currentColor"
          strokeWidth="1.25"
          vectorEffect="non-scaling-stroke"
          strokeLinejoin="round"
        />
      )}
    </svg>
  );
}

function latencyText(bounds: readonly number[], value: number | undefined): { value: string; unit: string } {
  const { value: text, unit } = split(value);
  return { value: isBeyond(bounds, value) ? `> ${text}` : text, unit: value === undefined ? "no deliveries" : unit };
}

/** `3.2 s` as number and unit; of `4 min 10 s` the second part is unit, too. */
function split(milliseconds: number | undefined): { value: string; unit: string } {
  if (milliseconds === undefined) return { value: "–", unit: "nothing waits" };
  const [value = "", ...rest] = duration(milliseconds).split(" ");
  return { value, unit: rest.join(" ") };
}

export const rateText = (rate: number): string =>
  rate === 0 ? "0" : rate < 10 ? rate.toFixed(rate < 0.1 ? 2 : 1) : count(Math.round(rate));

/** A place as large as the figures. */
export function FiguresSkeleton() {
  return (
    <div
      role="status"
      aria-label="Loading"
      className="grid grid-cols-2 gap-px border-y border-line bg-line lg:grid-cols-5"
    >
      {FIGURES.map((name) => (
        <div key={name} className="h-[5.5rem] bg-paper px-5 pt-2.5 max-sm:px-4">
          <p className="text-xs text-faint">{name}</p>
          <div className="skeleton mt-2 h-5 w-16" />
        </div>
      ))}
    </div>
  );
}

const FIGURES = [
  "Throughput",
  "Error rate",
  "Latency p50",
  "Latency p99",
  "Backlog",
  "Oldest message",
  "Runs active",
  "Runs succeeded",
  "Runs failed",
  "Dead letters",
];
