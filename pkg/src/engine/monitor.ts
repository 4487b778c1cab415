/** Counts what an engine sees of runs, in this process. */
import { MetricsRegistry } from "../monitoring/metrics.js";
import type { Exposition } from "../monitoring/prometheus.js";
import { WorkflowRecorder } from "../monitoring/recorder.js";
import type { Telemetry } from "../monitoring/telemetry.js";
import type { WorkflowMiddleware } from "../workflows/middleware.js";
import type { EngineMetrics, WorkflowExecution } from "./types.js";

export class Monitor {
  readonly #registry: MetricsRegistry;
  readonly #recorder: WorkflowRecorder;

  constructor(registry: MetricsRegistry = new MetricsRegistry(), telemetry: Telemetry = true) {
    this.#registry = registry;
    this.#recorder = new WorkflowRecorder(registry, telemetry);
  }

  started(workflowId: string): void {
    this.#recorder.started(workflowId);
  }

  /** A run that somebody asked for. */
  seen(run: WorkflowExecution): void {
    this.#recorder.seen(run);
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
