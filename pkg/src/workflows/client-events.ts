/** Events that runs wait for. */

/** A run that waits for an event. */
export interface Waiter {
  /** The run's endpoint. */
  url: string;
  /** When it stops to wait: Unix seconds. */
  deadline: number;
  headers: Record<string, string[]>;
  timeoutUrl?: string;
  timeoutBody?: unknown;
  timeoutHeaders?: Record<string, string[]>;
}

/** A run that an event was brought to. */
export interface NotifyResponse {
  waiter: Waiter;
  messageId: string;
  /** Why it could not be brought; empty if it could. */
  error: string;
}

/** What is told to the runs that wait for an event. */
export interface NotifyRequest {
  eventId: string;
  /** Data for the runs; written as JSON unless it is text. */
  eventData?: unknown;
  /** Only for this run, which may also begin to wait later (lookback). Default: every run that waits now. */
  workflowRunId?: string;
}
