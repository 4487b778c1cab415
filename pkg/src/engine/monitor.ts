/** Counts what an engine sees of runs, in this process. */
import { WorkflowMiddleware } from "../workflows/middleware.js";
import type { EngineMetrics, WorkflowExecution } from "./types.js";

interface Counts {
  started: number;
  completed: number;
  failed: number;
}

export class Monitor {
  readonly #since = Date.now();
  readonly #workflows = new Map<string, Counts>();
  /** Runs whose end was counted: it is seen by who runs them and by who asks for them. */
  readonly #ended = new Set<string>();

  started(workflowId: string): void {
    this.#of(workflowId).started += 1;
  }

  ended(workflowId: string, workflowRunId: string, how: "completed" | "failed"): void {
    if (this.#ended.has(workflowRunId)) return;
    if (this.#ended.size >= REMEMBERED) this.#ended.delete(this.#ended.values().next().value as string);
    this.#ended.add(workflowRunId);
    this.#of(workflowId)[how] += 1;
  }

  /** A run that somebody asked for. */
  seen({ workflowId, workflowRunId, status }: WorkflowExecution): void {
    if (status === "completed" || status === "failed") this.ended(workflowId, workflowRunId, status);
  }

  /** Tells of the runs of a workflow that are served here. */
  middleware(workflowId: string): WorkflowMiddleware {
    return new WorkflowMiddleware({
      name: "engine",
      callbacks: {
        runCompleted: ({ context }) => this.ended(workflowId, context.workflowRunId, "completed"),
      },
    });
  }

  metrics(): EngineMetrics {
    const workflows = [...this.#workflows].map(([workflowId, counts]) => ({ workflowId, ...counts, steps: [] }));
    return { since: this.#since, workflows };
  }

  /** Text format 0.0.4. */
  prometheus(): string {
    const { workflows } = this.metrics();
    const families = (["started", "completed", "failed"] as const).map((what) => [
      `# HELP orchestration_runs_${what}_total ${HELP[what]}`,
      `# TYPE orchestration_runs_${what}_total counter`,
      ...workflows.map((each) => `orchestration_runs_${what}_total{workflow="${each.workflowId}"} ${each[what]}`),
    ]);
    return `${families.flat().join("\n")}\n`;
  }

  #of(workflowId: string): Counts {
    const counts = this.#workflows.get(workflowId) ?? { started: 0, completed: 0, failed: 0 };
    this.#workflows.set(workflowId, counts);
    return counts;
  }
}

const REMEMBERED = 10_000;
const HELP: Record<keyof Counts, string> = {
  started: "Runs that this process started.",
  completed: "Runs whose success was seen by this process.",
  failed: "Runs whose failure was seen by this process.",
};
