/** Figures of an engine. */
import type { EngineMetrics } from "../engine/types.js";
import type { CallOptions, WorkflowApiClient } from "./client.js";
import { useHandler } from "./effects.js";
import type { WorkflowApiError } from "./error.js";
import { useResource } from "./use-resource.js";

const REFRESH_MS = 10_000;

/** How often figures are asked for. */
export interface UseWorkflowMetricsOptions {
  /** Milliseconds between two requests, while the page is in the foreground; 0 for none but the first. Default: 10 000. */
  refreshIntervalMs?: number | undefined;
}

/** Figures of the process that answers, since its engine was made. */
export interface UseWorkflowMetricsResult {
  metrics: EngineMetrics | undefined;
  /** Whether they are awaited and nothing is known yet. */
  isLoading: boolean;
  error: WorkflowApiError | undefined;
  /** Asks for them again. */
  refresh: () => Promise<void>;
}

/** Counts and durations of workflows and their steps. */
export function useWorkflowMetrics({
  refreshIntervalMs = REFRESH_MS,
}: UseWorkflowMetricsOptions = {}): UseWorkflowMetricsResult {
  const { data, error, isLoading, mutate } = useResource("metrics", load, { refreshIntervalMs });
  const refresh = useHandler(async () => {
    await mutate();
  });
  return { metrics: data, isLoading, error, refresh };
}

const load = (client: WorkflowApiClient, options: CallOptions) => client.getMetrics(options);
