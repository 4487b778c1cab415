/** What the hooks for lists and figures have in common: one request by SWR, shared and kept fresh. */
import useSWR, { type SWRConfiguration, type SWRResponse } from "swr";

import type { CallOptions, WorkflowApiClient } from "./client.js";
import type { WorkflowApiError } from "./error.js";
import { useWorkflowClient } from "./provider.js";
import { type Requests, useRequests } from "./requests.js";
import { query } from "./transport.js";

/** Who is asked, and how often. */
export interface ResourceOptions {
  /** The provider that is asked. Default: the engine's default one. */
  provider?: string | undefined;
  /** Milliseconds between two requests, while the page is in the foreground. Default of lists: no repetition. */
  refreshIntervalMs?: number | undefined;
}

/** Requests within this time are one, also those of components that come one after the other. */
const DEDUPING_MS = 2000;

/** How SWR shall ask, whatever the application has set for its own requests. */
export function settingsOf({ isPaused }: Requests, { refreshIntervalMs = 0 }: ResourceOptions) {
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
  load: (client: WorkflowApiClient, options: CallOptions) => Promise<T>,
  options: ResourceOptions,
): SWRResponse<T, WorkflowApiError> {
  const client = useWorkflowClient();
  const { provider } = options;
  const requests = useRequests(client, name + query({ provider }));
  return useSWR<T, WorkflowApiError>(
    requests.key,
    () => load(client, { provider, signal: requests.signal() }),
    settingsOf(requests, options),
  );
}
