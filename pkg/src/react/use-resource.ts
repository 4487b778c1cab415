/** What the hooks for lists and figures have in common: one request by SWR, shared and kept fresh. */
import useSWR, { type SWRConfiguration, type SWRResponse } from "swr";

import type { WorkflowApiClient } from "./client.js";
import type { WorkflowApiError } from "./error.js";
import { useWorkflowClient } from "./provider.js";
import { type Requests, useRequests } from "./requests.js";

/** How often something is asked for. */
export interface RefreshOptions {
  /** Milliseconds between two requests, while the page is in the foreground. Default of lists: no repetition. */
  refreshIntervalMs?: number | undefined;
}

/** Requests within this time are one, also those of components that come one after the other. */
const DEDUPING_MS = 2000;

/** How SWR shall ask, whatever the application has set for its own requests. */
export function settingsOf({ isPaused }: Requests, { refreshIntervalMs = 0 }: RefreshOptions) {
  return {
    isPaused,
    refreshInterval: refreshIntervalMs,
    dedupingInterval: refreshIntervalMs > 0 ? Math.min(DEDUPING_MS, refreshIntervalMs / 2) : DEDUPING_MS,
    shouldRetryOnError: (error: WorkflowApiError) => error.retryable,
    suspense: false,
  } satisfies SWRConfiguration;
}

/** Asks for `name` by `load`. */
export function useResource<T>(
  name: string,
  load: (client: WorkflowApiClient, signal: AbortSignal) => Promise<T>,
  options: RefreshOptions,
): SWRResponse<T, WorkflowApiError> {
  const client = useWorkflowClient();
  const requests = useRequests(client, name);
  return useSWR<T, WorkflowApiError>(
    requests.key,
    () => load(client, requests.signal()),
    settingsOf(requests, options),
  );
}
