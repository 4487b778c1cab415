/** Starting a run and following it. */
import { useRef, useState } from "react";

import type { InputOf, OutputOf } from "../engine/infer.js";
import type { StartedWorkflow } from "../engine/types.js";
import type { StartOptions } from "./client.js";
import { useHandler, useUnmount } from "./effects.js";
import type { WorkflowApiError } from "./error.js";
import { useWorkflowClient } from "./provider.js";
import { RunRegistry } from "./registry.js";
import { type UseWorkflowRunResult, useWorkflowRun } from "./use-workflow-run.js";

/** How runs are started and followed. */
export interface UseWorkflowOptions {
  /** Whether the run is cancelled when the component goes, also one that is just being started. Default: `false`. */
  cancelOnUnmount?: boolean | undefined;
}

/** The input, which may be left out where the workflow needs none. */
export type StartArguments<TInput> = undefined extends TInput
  ? [input?: TInput, options?: StartOptions]
  : [input: TInput, options?: StartOptions];

/** The run that was started last, and how to start one. */
export interface UseWorkflowResult<W = unknown> extends UseWorkflowRunResult<OutputOf<W>> {
  /** The id of the run that is followed. */
  runId: string | undefined;
  /** Starts a run and follows it from then on. Throws {@link WorkflowApiError}, which `error` tells, too. */
  start: (...args: StartArguments<InputOf<W>>) => Promise<StartedWorkflow>;
  /** Whether a run is being started. */
  isStarting: boolean;
  /** Follows no run any more; the run goes on. */
  reset: () => void;
}

/** What is being done of a workflow. */
interface Progress {
  workflowId: string;
  runId?: string;
  isStarting?: boolean;
  error?: WorkflowApiError;
}

/**
 * Starts runs of a workflow and follows the last one. The types come from the workflow, by an
 * `import type`, and nothing else of it does: `useWorkflow<typeof order>("order")`.
 */
export function useWorkflow<W = unknown>(workflowId: string, options: UseWorkflowOptions = {}): UseWorkflowResult<W> {
  const client = useWorkflowClient();
  const [state, setState] = useState<Progress>({ workflowId });
  const progress: Progress = state.workflowId === workflowId ? state : { workflowId };
  const starting = useRef(new Set<AbortController>());
  const newest = useRef<AbortController>(undefined);
  const { cancelOnUnmount = false } = options;
  const followed = useWorkflowRun<W>(progress.runId, { cancelOnUnmount });

  const start = useHandler(async (...[input, startOptions]: StartArguments<InputOf<W>>) => {
    const controller = new AbortController();
    starting.current.add(controller);
    newest.current = controller;
    const tell = (next: Progress) => {
      if (isMounted.current && newest.current === controller) setState(next);
    };
    setState({ workflowId, isStarting: true });
    try {
      const signal = joined(controller, startOptions?.signal);
      const started = await client.startWorkflow<W>(workflowId, input, { ...startOptions, signal });
      if (cancelOnUnmount && !isMounted.current) {
        const { workflowRunId, provider } = started;
        client.cancelRun(workflowRunId, { provider, keepalive: true }).catch(() => {});
      }
      RunRegistry.of(client).remember({ ...started, status: "pending", startedAt: Date.now(), labels: [], steps: [] });
      tell({ workflowId, runId: started.workflowRunId });
      return started;
    } catch (error) {
      tell({ workflowId, error: error as WorkflowApiError });
      throw error;
    } finally {
      starting.current.delete(controller);
    }
  });
  const reset = useHandler(() => {
    newest.current = undefined;
    setState({ workflowId });
  });
  const isMounted = useUnmount(() => {
    // A run that is to be cancelled must become known first.
    if (!cancelOnUnmount) for (const controller of starting.current) controller.abort();
  });

  return {
    ...followed,
    runId: progress.runId,
    error: progress.error ?? followed.error,
    isStarting: progress.isStarting ?? false,
    start,
    reset,
  };
}

/** The controller's signal, aborted with the caller's, too. */
function joined(controller: AbortController, signal: AbortSignal | undefined): AbortSignal {
  if (signal?.aborted) controller.abort();
  signal?.addEventListener("abort", () => controller.abort(), { once: true, signal: controller.signal });
  return controller.signal;
}
