/** Counters, gauges and histograms with labels, kept in this process. */
import { OrchestrationError } from "../errors.js";
import { type Exposition, exposed } from "./prometheus.js";

/** The values of a metric's labels. One that is left out is empty. */
export type Labels<TLabel extends string = string> = { readonly [Name in TLabel]?: string | undefined };

/** What a metric is. */
export interface MetricOptions<TLabel extends string = string> {
  /** By Prometheus' rules: letters, digits, `_` and `:`; counters end with `_total`, seconds with `_seconds`. */
  name: string;
  /** For people. */
  help: string;
  labels?: readonly TLabel[] | undefined;
}

export interface HistogramOptions<TLabel extends string = string> extends MetricOptions<TLabel> {
  /** The upper bounds of the buckets, ascending. Default: from 5 ms to 10 min, in seconds. */
  buckets?: readonly number[] | undefined;
}

export type MetricKind = "counter" | "gauge" | "histogram";

/** A value for each combination of labels. */
export abstract class Metric<TValue, TLabel extends string = string> {
  abstract readonly kind: MetricKind;
  readonly name: string;
  readonly help: string;
  readonly labels: readonly TLabel[];
  readonly #series = new Map<string, { values: readonly string[]; value: TValue }>();
  readonly #maxSeries: number;

  constructor({ name, help, labels = [] }: MetricOptions<TLabel>, maxSeries: number) {
    if (!METRIC_NAME.test(name)) throw refused(`'${name}' is no name for a metric: letters, digits, '_' and ':'`);
    for (const label of labels)
      if (!LABEL_NAME.test(label) || label === "le") throw refused(`'${label}' is no name for a label of '${name}'`);
    this.name = name;
    this.help = help;
    this.labels = labels;
    this.#maxSeries = maxSeries;
  }

  /** All combinations that were seen, with their values. */
  *series(): IterableIterator<{ values: readonly string[]; value: TValue }> {
    yield* this.#series.values();
  }

  /** @internal What a combination starts with. */
  protected abstract initial(): TValue;

  /** @internal The series of these labels. Combinations beyond the limit share one, whose labels are all `_other`. */
  protected seriesOf(labels: Labels<TLabel> | undefined): { value: TValue } {
    const values = this.labels.map((label) => String(labels?.[label] ?? ""));
    const known = this.#series.get(JSON.stringify(values));
    if (known) return known;
    for (const label of Object.keys(labels ?? {}))
      if (!this.labels.includes(label as TLabel)) throw refused(`the metric '${this.name}' has no label '${label}'`);
    const isFull = this.labels.length > 0 && this.#series.size >= this.#maxSeries;
    return isFull ? this.#add(this.labels.map(() => OTHER)) : this.#add(values);
  }

  #add(values: readonly string[]): { value: TValue } {
    const key = JSON.stringify(values);
    const series = this.#series.get(key) ?? { values, value: this.initial() };
    this.#series.set(key, series);
    return series;
  }
}

/** Counts up. */
export class Counter<TLabel extends string = string> extends Metric<number, TLabel> {
  readonly kind = "counter";

  add(amount = 1, labels?: Labels<TLabel>): void {
    if (!(amount >= 0)) throw refused(`the counter '${this.name}' only goes up, not by ${amount}`);
    this.seriesOf(labels).value += amount;
  }

  protected initial(): number {
    return 0;
  }
}

/** Goes up and down. */
export class Gauge<TLabel extends string = string> extends Metric<number, TLabel> {
  readonly kind = "gauge";

  set(value: number, labels?: Labels<TLabel>): void {
    this.seriesOf(labels).value = value;
  }

  add(amount: number, labels?: Labels<TLabel>): void {
    this.seriesOf(labels).value += amount;
  }

  protected initial(): number {
    return 0;
  }
}

/** How often what was seen. */
export interface Distribution {
  /** For each bucket how many values are in it and in no lower one; the last is that of values above all bounds. */
  counts: number[];
  count: number;
  sum: number;
  max: number;
}

/** Tells how values are distributed. */
export class Histogram<TLabel extends string = string> extends Metric<Distribution, TLabel> {
  readonly kind = "histogram";
  readonly buckets: readonly number[];

  constructor(options: HistogramOptions<TLabel>, maxSeries: number) {
    super(options, maxSeries);
    const { buckets = SECONDS } = options;
    if (buckets.some((bound, index) => !(bound > (buckets[index - 1] ?? Number.NEGATIVE_INFINITY))))
      throw refused(`the buckets of '${this.name}' must be numbers in ascending order`);
    this.buckets = buckets.filter((bound) => bound !== Number.POSITIVE_INFINITY);
  }

  /** `NaN` is not counted. */
  observe(value: number, labels?: Labels<TLabel>): void {
    if (Number.isNaN(value)) return;
    const { value: seen } = this.seriesOf(labels);
    const above = this.buckets.findIndex((bound) => value <= bound);
    const bucket = above < 0 ? this.buckets.length : above;
    seen.counts[bucket] = (seen.counts[bucket] ?? 0) + 1;
    seen.count += 1;
    seen.sum += value;
    seen.max = Math.max(seen.max, value);
  }

  protected initial(): Distribution {
    return { counts: Array(this.buckets.length + 1).fill(0), count: 0, sum: 0, max: Number.NEGATIVE_INFINITY };
  }
}

/** Metrics that are told of together. */
export class MetricsRegistry {
  /** Since when it counts, in Unix milliseconds. */
  readonly since: number;
  readonly #metrics = new Map<string, Counter | Gauge | Histogram>();
  readonly #maxSeries: number;

  /**
   * @param options.maxSeries combinations of labels that a metric keeps; further ones are counted together, as `_other`.
   *   Default: 1000
   */
  constructor({ maxSeries = 1_000, now = Date.now }: { maxSeries?: number; now?: () => number } = {}) {
    if (!(maxSeries >= 1)) throw refused(`maxSeries must be at least 1, not ${maxSeries}`);
    this.#maxSeries = maxSeries;
    this.since = now();
  }

  /** The counter of this name, made at the first call. */
  counter<TLabel extends string = never>(options: MetricOptions<TLabel>): Counter<TLabel> {
    return this.#metric(options.name, "counter", () => new Counter(options, this.#maxSeries));
  }

  /** The gauge of this name, made at the first call. */
  gauge<TLabel extends string = never>(options: MetricOptions<TLabel>): Gauge<TLabel> {
    return this.#metric(options.name, "gauge", () => new Gauge(options, this.#maxSeries));
  }

  /** The histogram of this name, made at the first call. */
  histogram<TLabel extends string = never>(options: HistogramOptions<TLabel>): Histogram<TLabel> {
    return this.#metric(options.name, "histogram", () => new Histogram(options, this.#maxSeries));
  }

  /** All metrics, in the order in which they were made. */
  metrics(): readonly (Counter | Gauge | Histogram)[] {
    return [...this.#metrics.values()];
  }

  /** All values as text: Prometheus' format 0.0.4, or OpenMetrics 1.0. Its media type: {@link contentTypes}. */
  expose(format: Exposition = "prometheus"): string {
    return exposed(this.metrics(), format);
  }

  #metric<TMetric>(name: string, kind: MetricKind, make: () => TMetric): TMetric {
    const known = this.#metrics.get(name);
    if (known && known.kind !== kind) throw refused(`the metric '${name}' is a ${known.kind}, not a ${kind}`);
    const metric = (known as TMetric | undefined) ?? make();
    this.#metrics.set(name, metric as never);
    return metric;
  }
}

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;
/** Stands for the values of labels when there are too many. */
const OTHER = "_other";
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

const refused = (message: string) => new OrchestrationError(message, "InvalidConfiguration");
