import type { Run, RunPage } from "@/lib/broker/types";
import type { Listing } from "@/lib/broker/use";

/** Runs, newest first. */
export const RUNS: Listing<RunPage, Run> = {
  path: "/v2/workflows/logs",
  pageOf: ({ runs, cursor }) => ({ items: runs ?? [], cursor: cursor || undefined }),
  idOf: ({ workflowRunId, workflowRunCreatedAt }) => `${workflowRunId}@${workflowRunCreatedAt}`,
  moving: {
    isMoving: ({ workflowState }) => workflowState === "RUN_STARTED",
    query: (ids) => ({ workflowRuns: ids }),
  },
};
