/** Watches workflows that are served without an engine. */
import type { WorkflowContext } from "../workflows/context.js";
import type { WorkflowMiddleware } from "../workflows/middleware.js";
import type { MetricsRegistry } from "./metrics.js";
import { WorkflowRecorder } from "./recorder.js";
import type { Telemetry } from "./telemetry.js";

export interface MonitoringOptions {
  /** What the workflow is called. Default: the last part of its endpoint's address. */
  workflowId?: string | undefined;
  /** Where spans go. Default: `true`, to OpenTelemetry if the application has registered it. */
  telemetry?: Telemetry | undefined;
}

/**
 * A middleware that counts runs and steps of a workflow in `registry`, and makes a span of every try of a step. An engine
 * has one of its own.
 *
 * That a run has failed is told to the endpoint only if the workflow has a `failureFunction`.
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
  return new WorkflowRecorder(registry, telemetry).middleware(({ url }) => workflowId ?? lastPart(url), true);
}

function lastPart(url: WorkflowContext["url"]): string {
  const { pathname } = new URL(url);
  return pathname.split("/").filter(Boolean).at(-1) ?? "/";
}
