/** Counts what happens to runs and steps. */
import type { EngineMetrics, WorkflowExecution } from "../engine/types.js";
import type { WorkflowContext } from "../workflows/context.js";
import { WorkflowMiddleware } from "../workflows/middleware.js";
import type { MetricsRegistry } from "./metrics.js";
import { type Telemetry, traced } from "./telemetry.js";
import { timed } from "./timing.js";
import {
  engineMetrics,
  type RunOutcome,
  stepLabel,
  type WorkflowInstruments,
  workflowInstruments,
} from "./workflow-metrics.js";

/** @internal Counts in a registry, and makes spans. */
export class WorkflowRecorder {
  readonly #registry: MetricsRegistry;
  readonly #telemetry: Telemetry;
  readonly #instruments: WorkflowInstruments;
  /** Runs whose end was counted: it is seen by who serves them and by who asks for them. */
  readonly #ended = new Set<string>();

  constructor(registry: MetricsRegistry, telemetry: Telemetry) {
    this.#registry = registry;
    this.#telemetry = telemetry;
    this.#instruments = workflowInstruments(registry);
  }

  started(workflow: string): void {
    this.#instruments.started.add(1, { workflow });
  }

  ended(workflow: string, workflowRunId: string, how: RunOutcome): void {
    if (this.#ended.has(workflowRunId)) return;
    if (this.#ended.size >= REMEMBERED) this.#ended.delete(this.#ended.values().next().value as string);
    this.#ended.add(workflowRunId);
    this.#instruments[how].add(1, { workflow });
  }

  /** A run that somebody asked for. */
  seen({ workflowId, workflowRunId, status }: WorkflowExecution): void {
    if (status === "completed" || status === "failed") this.ended(workflowId, workflowRunId, status);
  }

  metrics(): EngineMetrics {
    return engineMetrics(this.#registry);
  }

  /** Tells of the runs that are served here. */
  middleware(named: (context: WorkflowContext) => string, begins: boolean): WorkflowMiddleware {
    const ended = (context: WorkflowContext, how: RunOutcome) => this.ended(named(context), context.workflowRunId, how);
    return new WorkflowMiddleware({
      name: "monitoring",
      callbacks: {
        ...(begins ? { runStarted: ({ context }) => this.started(named(context)) } : {}),
        runCompleted: ({ context }) => ended(context, "completed"),
        runFailed: ({ context }) => ended(context, "failed"),
        aroundExecution: ({ stepName, attempt, context }, execute) =>
          this.#step(named(context), context.workflowRunId, stepName, attempt, execute),
      },
    });
  }

  #step<T>(workflow: string, runId: string, step: string, attempt: number, execute: () => Promise<T>): Promise<T> {
    const attributes = {
      "orchestration.workflow.id": workflow,
      "orchestration.run.id": runId,
      "orchestration.step.name": step,
      "orchestration.step.attempt": attempt,
    };
    return traced(this.#telemetry, `step ${step}`, attributes, () =>
      timed(execute, (seconds, outcome) =>
        this.#instruments.steps.observe(seconds, { workflow, step: stepLabel(step), outcome }),
      ),
    );
  }
}

const REMEMBERED = 10_000;
