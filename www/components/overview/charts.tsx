"use client";

import { useMemo } from "react";
import { Chart } from "@/components/overview/chart";
import type { PlotSeries } from "@/components/overview/plot";
import type { Metrics } from "@/lib/broker/types";
import { count, duration, span } from "@/lib/format";
import { errorShareOf, levelsOf, quantileOf } from "@/lib/metrics/series";

const share = (value: number): string => `${value < 10 && value > 0 ? value.toFixed(1) : Math.round(value)} %`;

/** Their titles, in order. */
export const CHARTS = ["Deliveries", "Latency", "Backlog", "Oldest message", "Error rate", "Runs"];

/** Steps of a scale of durations that is not logarithmic. */
const SPANS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400, 172_800, 604_800].map(
  (seconds) => seconds * 1_000,
);

export function Charts({ metrics }: { metrics: Metrics }) {
  const { bucketMs } = metrics;
  const { at, deliveries, latency, backlog, oldest, errors, runs } = useMemo(() => linesOf(metrics), [metrics]);
  const common = { at, bucketMs };
  const per = `each ${duration(bucketMs)}`;
  return (
    <div className="grid border-b border-line lg:grid-cols-2 lg:[&>*:nth-child(odd)]:border-r lg:[&>*:nth-child(n+3)]:border-t max-lg:[&>*+*]:border-t">
      <Chart
        {...common}
        title="Deliveries"
        caption={`Attempts by their outcome, and messages accepted, ${per}.`}
        series={deliveries}
        format={count}
        isCount
        least={4}
      />
      <Chart
        {...common}
        title="Latency"
        caption="How long attempts took, on a logarithmic scale."
        series={latency}
        format={duration}
        isLogarithmic
      />
      <Chart
        {...common}
        title="Backlog"
        caption={`Messages that had not ended, under way or not, at the end of ${per}.`}
        series={backlog}
        format={count}
        least={4}
      />
      <Chart
        {...common}
        title="Oldest message"
        caption={`How long the oldest of the backlog had been there, at the end of ${per}.`}
        series={oldest}
        format={duration}
        tick={span}
        steps={SPANS}
        least={4_000}
      />
      <Chart
        {...common}
        title="Error rate"
        caption={`Failed attempts among all, ${per}.`}
        series={errors}
        format={share}
        least={10}
      />
      <Chart
        {...common}
        title="Runs"
        caption={`Runs that ended, by how, and runs started, ${per}.`}
        series={runs}
        format={count}
        isCount
        least={4}
      />
    </div>
  );
}

function linesOf(metrics: Metrics) {
  const { series, latencyBounds } = metrics;
  const quantiles = (quantile: number) =>
    series.map(({ latency }) => quantileOf(latencyBounds, latency, quantile) ?? null);
  const deliveries: PlotSeries[] = [
    { name: "Delivered", color: "edge", values: series.map(({ delivered }) => delivered) },
    { name: "Attempt failed", color: "bad", values: series.map(({ errors }) => errors) },
    { name: "Accepted", color: "run", values: series.map(({ accepted }) => accepted), isLine: true, isSteps: true },
  ];
  const latency: PlotSeries[] = [
    { name: "p50", color: "ink", values: quantiles(0.5), isLine: true },
    { name: "p99", color: "run", values: quantiles(0.99), isLine: true, isDashed: true },
  ];
  const levels = levelsOf(metrics);
  const backlog: PlotSeries[] = [
    { name: "Messages", color: "edge", values: levels.map(({ backlog: level }) => level) },
  ];
  const oldest: PlotSeries[] = [{ name: "Age", color: "edge", values: levels.map(({ oldestMs }) => oldestMs) }];
  const errors: PlotSeries[] = [
    {
      name: "Error rate",
      color: "bad",
      values: series.map((bucket) => {
        const part = errorShareOf(bucket);
        return part === undefined ? null : 100 * part;
      }),
      isLine: true,
    },
  ];
  const runs: PlotSeries[] = [
    { name: "Succeeded", color: "edge", values: series.map(({ runsSucceeded }) => runsSucceeded) },
    { name: "Failed", color: "bad", values: series.map(({ runsFailed }) => runsFailed) },
    { name: "Canceled", color: "warn", values: series.map(({ runsCanceled }) => runsCanceled) },
    {
      name: "Started",
      color: "run",
      values: series.map(({ runsStarted }) => runsStarted),
      isLine: true,
      isSteps: true,
    },
  ];
  return { at: series.map(({ at }) => at), deliveries, latency, backlog, oldest, errors, runs };
}
