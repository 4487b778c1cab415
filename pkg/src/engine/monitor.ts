/** Counts what an engine sees of runs, in this process. */
import { MetricsRegistry } from "../monitoring/metrics.js";
import type { Exposition } from "../monitoring/prometheus.js";
import { WorkflowRecorder } from "../monitoring/recorder.js";
import type { Telemetry } from "../monitoring/telemetry.js";
import type { WorkflowMiddleware } from "../workflows/middleware.js";
import { Latest } from "./latest.js";
import type { EngineMetrics, WorkflowExecution } from "./types.js";

export class Monitor {
  readonly #registry: MetricsRegistry;
  readonly #recorder: WorkflowRecorder;
  /** Runs that were started here and whose end was not seen yet, the latest of them. */
  readonly #own = new Latest();

  constructor(registry: MetricsRegistry = new MetricsRegistry(), telemetry: Telemetry = true) {
    this.#registry = registry;
    this.#recorder = new WorkflowRecorder(registry, telemetry);
  }

  started(workflowId: string, workflowRunId: string): void {
    this.#recorder.started(workflowId);
    this.#own.add(workflowRunId);
  }

  /** A run that somebody asked for: one that others have started is counted by them. */
  seen(run: WorkflowExecution): void {
    if (!this.#own.has(run.workflowRunId)) return;
    this.#recorder.seen(run);
    if (run.completedAt !== undefined) this.#own.delete(run.workflowRunId);
  }

  /** Tells of the runs of a workflow that are served here. Their starts are counted by who starts them. */
  middleware(workflowId: string): WorkflowMiddleware {
    return this.#recorder.middleware(() => workflowId, false);
  }

  metrics(): EngineMetrics {
    return this.#recorder.metrics();
  }

  exposed(format: Exposition): string {
    return this.#registry.expose(format);
  }
}
