"use client";

/** A chart over time: drawn by uPlot, read by a crosshair, and the same as a table. */
import { ChartLine, Table2 } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import type { PlotSeries } from "@/components/overview/plot";
import { Button } from "@/components/ui/button";
import { clock } from "@/lib/format";

export const PLOT_PX = 168;

const Plot = dynamic(() => import("@/components/overview/plot").then((it) => it.Plot), {
  ssr: false,
  loading: () => (
    <div role="status" aria-label="Loading the chart" className="skeleton w-full" style={{ height: PLOT_PX }} />
  ),
});

export interface ChartProps {
  title: string;
  /** What it shows, in a sentence. */
  caption: string;
  /** Beginnings of the buckets, in milliseconds. */
  at: readonly number[];
  bucketMs: number;
  series: readonly PlotSeries[];
  format: (value: number) => string;
  /** Values of the scale, if they are written in another form. */
  tick?: (value: number) => string;
  /** What the scale may go in steps of. */
  steps?: readonly number[];
  /** Whether 0 is nothing, so that the table leaves it out. */
  isCount?: boolean;
  /** Durations differ by orders of magnitude. */
  isLogarithmic?: boolean;
  /** The least that the scale goes up to. */
  least?: number;
}

export function Chart(props: ChartProps) {
  const { title, caption, at, bucketMs, series, format, isCount = false, isLogarithmic = false, least = 1 } = props;
  const [isTable, setTable] = useState(false);
  const [cursor, setCursor] = useState<number>();
  const shown = cursor === undefined || at[cursor] === undefined ? undefined : cursor;
  return (
    <figure className="min-w-0 px-5 py-4 max-sm:px-4">
      <div className="mb-2 flex items-start justify-between gap-3">
        <figcaption className="min-w-0">
          <h2 className="font-semibold">{title}</h2>
          <p className="text-xs text-faint">{caption}</p>
        </figcaption>
        <Button
          kind="quiet"
          className="h-7! px-2! text-xs!"
          icon={isTable ? ChartLine : Table2}
          aria-label={`${title}: show as ${isTable ? "a chart" : "a table"}`}
          onClick={() => setTable(!isTable)}
        >
          {isTable ? "Chart" : "Table"}
        </Button>
      </div>
      <div className="mb-1 flex min-h-5 flex-wrap gap-x-4 text-xs">
        {series.map(({ name, color, isLine, isDashed, values }) => (
          <span key={name} className="inline-flex items-center gap-1.5">
            <svg width="12" height="10" aria-hidden>
              {isLine ? (
                <path
                  d="M0 5h12"
                  stroke={`var(--${color})`}
                  strokeWidth="2"
                  strokeDasharray={isDashed ? "3 2" : undefined}
                />
              ) : (
                <rect x="1" y="0" width="10" height="10" fill={`var(--${color})`} />
              )}
            </svg>
            <span className="text-soft">{name}</span>
            {shown !== undefined && (
              <span className="font-medium">{values[shown] == null ? "–" : format(values[shown])}</span>
            )}
          </span>
        ))}
        {shown !== undefined && (
          <span className="ml-auto text-faint">
            {clock(at[shown] as number)} – {clock((at[shown] as number) + bucketMs)}
          </span>
        )}
      </div>
      {isTable ? (
        <ChartTable title={title} at={at} series={series} format={format} isCount={isCount} />
      ) : (
        <Plot
          label={`${title}. ${caption} Arrow keys move the crosshair; the button “Table” shows the numbers.`}
          at={at}
          bucketMs={bucketMs}
          series={series}
          format={format}
          tick={props.tick}
          steps={props.steps}
          isLogarithmic={isLogarithmic}
          least={least}
          onCursor={setCursor}
        />
      )}
    </figure>
  );
}

type TableProps = Required<Pick<ChartProps, "title" | "at" | "series" | "format" | "isCount">>;

function ChartTable({ title, at, series, format, isCount }: TableProps) {
  const isKnown = (value: number | null | undefined) => value != null && !(isCount && value === 0);
  const rows = at.map((_, index) => index).filter((index) => series.some(({ values }) => isKnown(values[index])));
  return (
    // Focusable, for who scrolls by keyboard.
    <div
      className="overflow-y-auto"
      style={{ height: PLOT_PX }}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
      tabIndex={0}
      role="region"
      aria-label={`${title}, as a table`}
    >
      <table className="w-full text-left text-xs">
        <thead className="sticky top-0 bg-paper text-faint">
          <tr>
            <th className="border-b border-edge py-1 pr-4 font-medium">From</th>
            {series.map(({ name }) => (
              <th key={name} className="border-b border-edge py-1 pl-4 text-right font-medium">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.toReversed().map((index) => (
            <tr key={at[index]} className="border-b border-line">
              <td className="py-1 pr-4 whitespace-nowrap">{clock(at[index] as number)}</td>
              {series.map(({ name, values }) => (
                <td key={name} className="py-1 pl-4 text-right">
                  {values[index] == null ? "–" : format(values[index])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length < at.length && (
        <p className="py-1 text-xs text-faint">
          {rows.length === 0 ? "Nothing in this time." : "Times without anything are left out."}
        </p>
      )}
    </div>
  );
}
