/** Events that runs wait for. */

/** What is told to the runs that wait for an event. */
export interface NotifyRequest {
  eventId: string;
  /** Data for the runs; written as JSON unless it is text. */
  eventData?: unknown;
  /** Only for this run, which may also begin to wait later (lookback). Default: every run that waits now. */
  workflowRunId?: string;
}
