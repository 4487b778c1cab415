/** Metrics as text: https://prometheus.io/docs/instrumenting/exposition_formats, https://openmetrics.io. */
import type { Counter, Gauge, Histogram } from "./metrics.js";

/** `prometheus` is the text format 0.0.4; `openmetrics` is OpenMetrics 1.0. */
export type Exposition = "prometheus" | "openmetrics";

/** The media types of the formats. */
export const contentTypes: Readonly<Record<Exposition, string>> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** The format that an `Accept` header prefers. */
export const expositionFor = (accept: string | null | undefined): Exposition =>
  /application\/openmetrics-text/i.test(accept ?? "") ? "openmetrics" : "prometheus";

export function exposed(metrics: readonly (Counter | Gauge | Histogram)[], format: Exposition): string {
  const lines: string[] = [];
  for (const metric of metrics) {
    const { name, kind, help } = metric;
    // OpenMetrics names the family of a counter without the suffix that its values have.
    const family = format === "openmetrics" && kind === "counter" ? name.replace(/_total$/, "") : name;
    lines.push(`# HELP ${family} ${escapedHelp(help, format)}`, `# TYPE ${family} ${kind}`);
    if (metric.kind === "histogram") histogram(metric, format, lines);
    else {
      const sample = format === "openmetrics" && kind === "counter" ? `${family}_total` : name;
      for (const { values, value } of metric.series())
        lines.push(`${sample}${braced(pairs(metric.labels, values))} ${written(value)}`);
    }
  }
  if (format === "openmetrics") lines.push("# EOF");
  return lines.map((line) => `${line}\n`).join("");
}

function histogram(metric: Histogram, format: Exposition, lines: string[]): void {
  const { name, labels, buckets } = metric;
  for (const { values, value } of metric.series()) {
    const own = pairs(labels, values);
    let below = 0;
    for (const [index, count] of value.counts.entries()) {
      below += count;
      const bound = bounded(buckets[index] ?? Number.POSITIVE_INFINITY, format);
      lines.push(`${name}_bucket${braced([...own, `le="${bound}"`])} ${below}`);
    }
    lines.push(`${name}_sum${braced(own)} ${written(value.sum)}`, `${name}_count${braced(own)} ${value.count}`);
  }
}

/** OpenMetrics writes bounds as floats, so that `1` and `1.0` are one. */
function bounded(bound: number, format: Exposition): string {
  return format === "openmetrics" && Number.isInteger(bound) ? `${bound}.0` : written(bound);
}

const pairs = (labels: readonly string[], values: readonly string[]): string[] =>
  labels.map((label, index) => `${label}="${escapedValue(values[index] ?? "")}"`);

const braced = (all: readonly string[]): string => (all.length > 0 ? `{${all.join(",")}}` : "");

const escapedValue = (text: string): string =>
  text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');

/** Quotes are escaped by OpenMetrics only. */
function escapedHelp(text: string, format: Exposition): string {
  return format === "openmetrics" ? escapedValue(text) : text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function written(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return String(value);
}
