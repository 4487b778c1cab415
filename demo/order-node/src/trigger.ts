import { Client } from "@repo/orchestration/workflows";

import type { Order } from "./order.ts";

/** Where the broker is, and how a run is told apart and retried. */
export interface Trigger {
  brokerUrl: string;
  token: string;
  /** The endpoint that serves the workflow. */
  url: string;
  /** Without the prefix `wfr_`. */
  runName: string;
  order: Order;
  retries: number;
  /** An expression in milliseconds over `retried`, which counts from 0. */
  retryDelay: string;
}

/** Starts a run of the order workflow; returns its id. */
export async function triggerOrder({ brokerUrl, token, url, runName, order, retries, retryDelay }: Trigger) {
  // Whatever QSTASH_DEV says: the caller names the broker.
  const client = new Client({ baseUrl: brokerUrl, token, devMode: false });
  const run = await client.trigger({ url, body: order, workflowRunId: runName, retries, retryDelay });
  return run.workflowRunId;
}
