"use client";

import { type KeyboardEvent, useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { PLOT_PX } from "@/components/overview/chart";
import { bucketOf, timeLabels } from "@/lib/metrics/axis";

export interface PlotSeries {
  name: string;
  /** A CSS variable of the theme, such as `ok`. */
  color: "ink" | "soft" | "edge" | "run" | "ok" | "bad" | "warn";
  values: readonly (number | null)[];
  /** Else bars, which stand on those before them. */
  isLine?: boolean;
  isDashed?: boolean;
  /** Of counts, which hold for a whole bucket. */
  isSteps?: boolean;
}

export interface PlotProps {
  label: string;
  at: readonly number[];
  bucketMs: number;
  series: readonly PlotSeries[];
  format: (value: number) => string;
  tick?: ((value: number) => string) | undefined;
  steps?: readonly number[] | undefined;
  isLogarithmic: boolean;
  least: number;
  onCursor: (index: number | undefined) => void;
}

/** Made anew when what it is made of changes; data alone are exchanged. */
export function Plot(props: PlotProps) {
  const { label, at, bucketMs, series, isLogarithmic, least } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const newest = useRef(props);
  newest.current = props;
  const form = series.map(({ name, color, isLine, isDashed }) => `${name}:${color}:${isLine}:${isDashed}`).join();

  // biome-ignore lint/correctness/useExhaustiveDependencies: the form says what the series look like
  useEffect(() => {
    const target = box.current;
    if (!target) return;
    const make = () => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsOf(newest, target.clientWidth), dataOf(newest.current), target);
    };
    make();
    const sizes = new ResizeObserver(() => {
      const width = target.clientWidth;
      if (plot.current && width > 0 && width !== plot.current.width) plot.current.setSize({ width, height: PLOT_PX });
    });
    sizes.observe(target);
    addEventListener("themechange", make);
    return () => {
      sizes.disconnect();
      removeEventListener("themechange", make);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [form, bucketMs, isLogarithmic, least]);

  useEffect(() => {
    plot.current?.setData(dataOf({ at, series }));
  }, [at, series]);

  const move = (event: KeyboardEvent) => {
    const chart = plot.current;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!chart || (step === undefined && event.key !== "Escape")) return;
    event.preventDefault();
    if (step === undefined) return chart.setCursor({ left: -10, top: -10 });
    const from = indexOf(chart) ?? (step > 0 ? -1 : at.length);
    const index = Math.min(at.length - 1, Math.max(0, from + step));
    const left = chart.valToPos((at[index] as number) + bucketMs / 2, "x");
    chart.setCursor({ left, top: chart.over.clientHeight / 2 });
  };
  return (
    <div
      ref={box}
      role="img"
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the crosshair is moved by keys
      tabIndex={0}
      onKeyDown={move}
      style={{ height: PLOT_PX }}
      className="w-full overflow-hidden"
    />
  );
}

/** Bars are drawn over each other, so each stands on the sum of those before it. */
function dataOf({ at, series }: Pick<PlotProps, "at" | "series">): uPlot.AlignedData {
  const sums = at.map(() => 0);
  const drawn = series.map(({ values, isLine }) => {
    if (isLine) return [...values];
    return values.map((value, index) => {
      sums[index] = (sums[index] ?? 0) + (value ?? 0);
      return sums[index] || null;
    });
  });
  // The tallest first.
  return [[...at], ...drawn.toReversed()] as unknown as uPlot.AlignedData;
}

function optionsOf(newest: { current: PlotProps }, width: number): uPlot.Options {
  const { series, bucketMs, isLogarithmic, least, steps: incrs } = newest.current;
  const style = getComputedStyle(document.documentElement);
  const color = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const sans = style.getPropertyValue("--font-plex-sans").trim() || "sans-serif";
  const axis: uPlot.Axis = {
    stroke: color("faint"),
    font: `11px ${sans}`,
    grid: { stroke: color("line"), width: 1 },
    ticks: { show: false },
  };
  const bars = uPlot.paths.bars?.({ size: [0.8, 40], align: 1 });
  const steps = uPlot.paths.stepped?.({ align: 1, ascDesc: true, extend: true });
  return {
    width,
    height: PLOT_PX,
    ms: 1,
    legend: { show: false },
    // The last mark of time may stand at the very end.
    padding: [6, 20, 0, 0],
    cursor: {
      y: false,
      points: { show: false },
      drag: { x: false, y: false },
      // A bucket goes on until the next one begins: the nearest beginning may be that of the next.
      dataIdx: (_, __, nearest, at) => bucketOf(newest.current.at, nearest, at),
    },
    scales: {
      x: { time: true, range: (_, from, to) => [from, to + bucketMs] },
      y: isLogarithmic
        ? {
            distr: 3,
            log: 10,
            range: (_, low, high) => [
              10 ** Math.floor(Math.log10(Math.max(1, low || 1))),
              10 ** Math.ceil(Math.log10(Math.max(10, (high || 10) + 1))),
            ],
          }
        : { range: (_, __, high) => [0, Math.max(least, (high ?? 0) * 1.08)] },
    },
    axes: [
      { ...axis, size: 24, space: 64, values: (_, splits, __, ___, step) => timeLabels(splits, step) },
      {
        ...axis,
        size: 56,
        space: 30,
        incrs: incrs
          ? [...incrs]
          : least >= 1 && !isLogarithmic
            ? [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6]
            : undefined,
        values: (_, splits) =>
          splits.map((value) => (value == null ? "" : (newest.current.tick ?? newest.current.format)(value))),
        ...(isLogarithmic ? { filter: powers, grid: { ...axis.grid, filter: powers } } : {}),
      } as uPlot.Axis,
    ],
    series: [
      {},
      ...series
        .map(
          ({ name, color: own, isLine, isDashed, isSteps }): uPlot.Series =>
            isLine
              ? {
                  label: name,
                  stroke: color(own),
                  width: 1.5,
                  ...(isDashed ? { dash: [5, 3] } : {}),
                  spanGaps: false,
                  ...(isSteps && steps ? { paths: steps } : {}),
                  points: isSteps ? { show: false } : { show: true, size: 5, fill: color(own) },
                }
              : { label: name, fill: color(own), width: 0, points: { show: false }, ...(bars ? { paths: bars } : {}) },
        )
        .toReversed(),
    ],
    hooks: {
      setCursor: [(chart) => newest.current.onCursor(indexOf(chart))],
    },
  };
}

/** The bucket under the crosshair. */
function indexOf({ cursor: { idx, idxs, left } }: uPlot): number | undefined {
  return idx == null || (left ?? -1) < 0 ? undefined : (idxs?.[0] ?? undefined);
}

/** Of a logarithmic scale, what is 1, 10, 100, … */
const powers = (_: uPlot, splits: number[]): (number | null)[] =>
  splits.map((value) => (Number.isInteger(Math.log10(value)) ? value : null));
