/** Following a run. */
import { useCallback, useSyncExternalStore } from "react";

import type { OutputOf } from "../engine/infer.js";
import type { WorkflowExecution, WorkflowStatus } from "../engine/types.js";
import { useHandler, useUnmount } from "./effects.js";
import type { WorkflowApiError } from "./error.js";
import { useWorkflowClient } from "./provider.js";
import { RunRegistry } from "./registry.js";
import { isFinal, type RunConnection, UNKNOWN } from "./watch.js";

/** How a run is followed. */
export interface UseWorkflowRunOptions<TOutput = unknown> {
  /** What a server component knows of the run; shown until more is known. One that has ended is not asked for. */
  initialRun?: WorkflowExecution<TOutput> | undefined;
  /** The provider that keeps the run, if that is not the engine's default. */
  provider?: string | undefined;
  /** Whether the run is cancelled when the component goes. Default: `false`, it goes on. */
  cancelOnUnmount?: boolean | undefined;
}

/** A run as it is now. */
export interface UseWorkflowRunResult<TOutput = unknown> {
  run: WorkflowExecution<TOutput> | undefined;
  status: WorkflowStatus | undefined;
  /** What the workflow returned, once it has completed. */
  output: TOutput | undefined;
  /** Whether there is a run and nothing is known of it yet. */
  isLoading: boolean;
  /** Whether the run has completed, failed or been cancelled. */
  isFinished: boolean;
  /** How changes are heard of; `idle` without a run. */
  connection: RunConnection | "idle";
  /** Why the API could not be asked. How a run has failed is `run.error`. */
  error: WorkflowApiError | undefined;
  /** Ends the run. `false` if it had ended, or there is none. */
  cancel: () => Promise<boolean>;
  /** Looks at once. */
  refresh: () => Promise<void>;
}

/**
 * Follows a run until it ends: live by server-sent events, by polling while they fail. Components that follow the same run
 * share one connection. Without an id nothing is asked.
 */
export function useWorkflowRun<W = unknown>(
  workflowRunId: string | null | undefined,
  options: UseWorkflowRunOptions<OutputOf<W>> = {},
): UseWorkflowRunResult<OutputOf<W>> {
  type TOutput = OutputOf<W>;
  const client = useWorkflowClient();
  const registry = RunRegistry.of(client);
  const { initialRun, cancelOnUnmount = false } = options;
  const initial = initialRun?.workflowRunId === workflowRunId ? initialRun : undefined;
  const followed = isFinal(initial?.status) ? undefined : workflowRunId;
  const provider = options.provider ?? initial?.provider;

  const subscribe = useCallback(
    (listener: () => void) => (followed ? registry.subscribe({ runId: followed, provider }, listener) : () => {}),
    [registry, followed, provider],
  );
  const state = useSyncExternalStore(
    subscribe,
    () => (followed ? registry.state(followed) : UNKNOWN),
    () => UNKNOWN,
  );
  const run = (state.run as WorkflowExecution<TOutput> | undefined) ?? initial;
  const isFinished = isFinal(run?.status);

  const cancel = useHandler(async () => {
    if (!workflowRunId || isFinished) return false;
    const isCancelled = await client.cancelRun(workflowRunId, { provider: provider ?? run?.provider });
    await registry.refresh(workflowRunId);
    return isCancelled;
  });
  const refresh = useHandler(async () => {
    if (workflowRunId) await registry.refresh(workflowRunId);
  });
  useUnmount(() => {
    if (!cancelOnUnmount || !workflowRunId || isFinished) return;
    // Nobody is left to be told; the page may be going away.
    client.cancelRun(workflowRunId, { provider: provider ?? run?.provider, keepalive: true }).catch(() => {});
  });

  return {
    run,
    status: run?.status,
    output: run?.output,
    isLoading: Boolean(workflowRunId) && run === undefined && state.error === undefined,
    isFinished,
    connection: workflowRunId ? (isFinished ? "closed" : state.connection) : "idle",
    error: state.error,
    cancel,
    refresh,
  };
}
