/** What is counted of workflows, and how an engine tells of it. */
import type { EngineMetrics, StepMetrics, WorkflowMetrics } from "../engine/types.js";
import type { Counter, Distribution, Histogram, MetricsRegistry } from "./metrics.js";

/** How a run, or a try of a step, has ended. */
export type RunOutcome = "completed" | "failed";
export type StepOutcome = "success" | "failure";

/** The metrics of workflows in a registry. Durations are seconds. */
export interface WorkflowInstruments {
  /** `orchestration_runs_started_total` */
  started: Counter<"workflow">;
  /** `orchestration_runs_completed_total` */
  completed: Counter<"workflow">;
  /** `orchestration_runs_failed_total` */
  failed: Counter<"workflow">;
  /** `orchestration_step_duration_seconds`: each try of a step's function. */
  steps: Histogram<"workflow" | "step" | "outcome">;
}

/** The metrics of workflows in this registry. */
export const workflowInstruments = (registry: MetricsRegistry): WorkflowInstruments => ({
  started: runs(registry, "started", "Runs that this process started."),
  completed: runs(registry, "completed", "Runs whose success was seen by this process."),
  failed: runs(registry, "failed", "Runs whose failure was seen by this process."),
  steps: registry.histogram({
    name: "orchestration_step_duration_seconds",
    help: "Tries of steps' functions by this process.",
    labels: ["workflow", "step", "outcome"],
  }),
});

const runs = (registry: MetricsRegistry, what: string, help: string): Counter<"workflow"> =>
  registry.counter({ name: `orchestration_runs_${what}_total`, help, labels: ["workflow"] });

/** A step's name as a label: the elements of a list are one, `all[*]`, so that a long list leaves series for others. */
export const stepLabel = (name: string): string => name.replace(/\[\d+\]/g, "[*]");

/** What was counted in this registry, as {@link EngineMetrics}. */
export function engineMetrics(registry: MetricsRegistry): EngineMetrics {
  const { steps, ...counters } = workflowInstruments(registry);
  const workflows = new Map<string, WorkflowMetrics>();
  const workflow = (workflowId = "") => {
    const made = workflows.get(workflowId) ?? { workflowId, started: 0, completed: 0, failed: 0, steps: [] };
    workflows.set(workflowId, made);
    return made;
  };
  for (const what of ["started", "completed", "failed"] as const)
    for (const { values, value } of counters[what].series()) workflow(values[0])[what] = value;
  const tries = new Map<
    string,
    { owner: WorkflowMetrics; name: string; outcomes: Partial<Record<string, Distribution>> }
  >();
  for (const { values, value } of steps.series()) {
    const [workflowId, name = "", outcome = ""] = values;
    const key = JSON.stringify([workflowId, name]);
    const known = tries.get(key) ?? { owner: workflow(workflowId), name, outcomes: {} };
    known.outcomes[outcome] = value;
    tries.set(key, known);
  }
  for (const { owner, name, outcomes } of tries.values()) owner.steps.push(stepMetrics(steps, name, outcomes));
  return { since: registry.since, workflows: [...workflows.values()] };
}

function stepMetrics(
  { buckets }: Histogram,
  name: string,
  outcomes: Partial<Record<string, Distribution>>,
): StepMetrics {
  const { success, failure } = outcomes;
  const all = [success, failure].filter((part) => part !== undefined);
  const sum = (of: (part: Distribution) => number) => all.reduce((total, part) => total + of(part), 0);
  const whole: Distribution = {
    counts: Array.from({ length: buckets.length + 1 }, (_, bucket) => sum(({ counts }) => counts[bucket] ?? 0)),
    count: sum(({ count }) => count),
    sum: sum((part) => part.sum),
    max: Math.max(...all.map(({ max }) => max)),
  };
  return {
    name,
    succeeded: success?.count ?? 0,
    failed: failure?.count ?? 0,
    averageMs: (whole.sum / whole.count) * MILLISECONDS,
    p50Ms: quantile(buckets, whole, 0.5) * MILLISECONDS,
    p95Ms: quantile(buckets, whole, 0.95) * MILLISECONDS,
    maxMs: whole.max * MILLISECONDS,
  };
}

/**
 * Estimates a quantile as Prometheus' `histogram_quantile` does: values are spread evenly over their bucket. The largest
 * value bounds it.
 */
export function quantile(buckets: readonly number[], { counts, count, max }: Distribution, share: number): number {
  if (count === 0) return Number.NaN;
  const rank = share * count;
  let below = 0;
  for (const [index, inside] of counts.entries()) {
    if (inside > 0 && below + inside >= rank) {
      const upper = Math.min(buckets[index] ?? max, max);
      const lower = Math.min(index === 0 ? Math.min(0, upper) : (buckets[index - 1] as number), upper);
      return lower + (upper - lower) * ((rank - below) / inside);
    }
    below += inside;
  }
  return max;
}

const MILLISECONDS = 1_000;
