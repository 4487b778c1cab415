/** Watches the workflows that are served: counts, durations, spans. */
import type { WorkflowContext } from "../workflows/context.js";
import { WorkflowMiddleware } from "../workflows/middleware.js";
import type { MetricsRegistry } from "./metrics.js";
import { type Telemetry, traced } from "./telemetry.js";
import { timed } from "./timing.js";
import { workflowInstruments } from "./workflow-metrics.js";

export interface MonitoringOptions {
  /** What the workflow is called. Default: the last part of its endpoint's address. */
  workflowId?: string | undefined;
  /** Where spans go. Default: `true`, to OpenTelemetry if the application has registered it. */
  telemetry?: Telemetry | undefined;
}

/**
 * A middleware that counts runs and steps of a workflow in `registry`, and makes a span of every try of a step.
 *
 * A run that fails is told to the endpoint only if the workflow has a `failureFunction`.
 *
 * ```ts
 * const registry = new MetricsRegistry();
 * export const { POST } = serve(route, { middlewares: [createMonitoringMiddleware(registry)] });
 * ```
 */
export function createMonitoringMiddleware(
  registry: MetricsRegistry,
  { workflowId, telemetry = true }: MonitoringOptions = {},
): WorkflowMiddleware {
  const { started, finished, steps } = workflowInstruments(registry);
  const named = ({ url }: WorkflowContext) => workflowId ?? lastPart(url);
  return new WorkflowMiddleware({
    name: "monitoring",
    callbacks: {
      runStarted: ({ context }) => started.add(1, { workflow: named(context) }),
      runCompleted: ({ context }) => finished.add(1, { workflow: named(context), status: "completed" }),
      runFailed: ({ context }) => finished.add(1, { workflow: named(context), status: "failed" }),
      aroundExecution: ({ stepName: step, attempt, context }, execute) => {
        const workflow = named(context);
        const attributes = {
          "orchestration.workflow.id": workflow,
          "orchestration.run.id": context.workflowRunId,
          "orchestration.step.name": step,
          "orchestration.step.attempt": attempt,
        };
        return traced(telemetry, `step ${step}`, attributes, () =>
          timed(execute, (seconds, outcome) => steps.observe(seconds, { workflow, step, outcome })),
        );
      },
    },
  });
}

function lastPart(url: string): string {
  const { pathname } = new URL(url);
  return pathname.split("/").filter(Boolean).at(-1) ?? "/";
}
