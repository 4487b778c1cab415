/** Lists of runs. */
import { useMemo } from "react";
import useSWRInfinite from "swr/infinite";

import type { ExecutionFilter, ExecutionPage, WorkflowExecution } from "../engine/types.js";
import { useHandler } from "./effects.js";
import type { WorkflowApiError } from "./error.js";
import { useWorkflowClient } from "./provider.js";
import { useRequests } from "./requests.js";
import { query } from "./transport.js";
import { type ResourceOptions, settingsOf } from "./use-resource.js";

/** Runs, page by page. */
export interface UseWorkflowListResult {
  /** Those of all pages so far, the newest first. */
  runs: WorkflowExecution[];
  pages: ExecutionPage[];
  /** Whether the first page is awaited and nothing is known yet. */
  isLoading: boolean;
  /** Whether a further page is awaited. */
  isLoadingMore: boolean;
  /** Whether there are more pages. */
  hasMore: boolean;
  error: WorkflowApiError | undefined;
  /** Asks for the next page, if there is one. */
  loadMore: () => void;
  /** Asks for all pages so far again. */
  refresh: () => Promise<void>;
}

/** Lists runs, the newest first. Begins anew with another filter. */
export function useWorkflowList(
  filter: Omit<ExecutionFilter, "cursor"> = {},
  options: ResourceOptions = {},
): UseWorkflowListResult {
  const client = useWorkflowClient();
  const { workflowId, status, label, count } = filter;
  const { provider } = options;
  const chosen = { workflowId, status, label, count };
  const requests = useRequests(client, `runs${query({ ...chosen, provider })}`);
  const { data, error, isLoading, size, setSize, mutate } = useSWRInfinite<ExecutionPage, WorkflowApiError>(
    (index, previous) => {
      if (index > 0 && !previous?.cursor) return null;
      return [...requests.key, previous?.cursor ?? ""];
    },
    ([, , , cursor]: [...typeof requests.key, string]) =>
      client.listRuns({ ...chosen, cursor: cursor || undefined }, { provider, signal: requests.signal() }),
    { ...settingsOf(requests, options), revalidateFirstPage: false, persistSize: false, parallel: false },
  );

  const pages = data ?? NO_PAGES;
  const runs = useMemo(() => distinct(pages), [pages]);
  const hasMore = pages.at(-1)?.cursor !== undefined;
  const isLoadingMore = pages.length > 0 && size > pages.length && hasMore && error === undefined;
  const loadMore = useHandler(() => {
    if (hasMore && !isLoadingMore) void setSize(pages.length + 1);
  });
  const refresh = useHandler(async () => {
    await mutate();
  });
  return { runs, pages, isLoading, isLoadingMore, hasMore, error, loadMore, refresh };
}

const NO_PAGES: ExecutionPage[] = [];

/** A run that began between two requests moves the last one of a page to the next. */
function distinct(pages: ExecutionPage[]): WorkflowExecution[] {
  const runs = pages.flatMap((page) => page.runs);
  return [...new Map(runs.map((run) => [run.workflowRunId, run])).values()];
}
