/** Filters of lists of runs and of bulk requests. Values of one field are alternatives; all fields must hold. */
import type { AtLeastOne } from "../messages.js";

/** A text, or several of which one must match. */
type Texts = string | string[];

interface CommonFilter {
  /** Not before this moment: a `Date`, or Unix milliseconds. */
  fromDate?: Date | number;
  /** Not after this moment: a `Date`, or Unix milliseconds. */
  toDate?: Date | number;
  /** The address of whoever started the run. */
  callerIp?: Texts;
  label?: Texts;
  flowControlKey?: Texts;
}

interface PlaceFilter {
  /** The host of the workflow's URL. */
  host?: Texts;
  /** The path of the workflow's URL. */
  path?: Texts;
}

interface RunFilter {
  /** The workflow's URL. */
  workflowUrl?: Texts;
  workflowRunId?: string;
  /** Tells runs with the same id apart: Unix milliseconds. */
  workflowCreatedAt?: number;
}

/** What selects failed runs for a bulk request. */
export interface DLQActionFilter extends CommonFilter, RunFilter {
  /** What became of telling that the run failed, such as `CALLBACK_FAIL`. */
  failureFunctionState?: string;
}

/** What selects failed runs for a list. */
export interface DLQListFilter extends DLQActionFilter {
  /** @deprecated Use `workflowUrl`. */
  url?: string;
  /** @deprecated */
  responseStatus?: number;
}

/** What selects runs for a list. */
export interface WorkflowLogsFilter extends CommonFilter, PlaceFilter, RunFilter {
  state?: "RUN_STARTED" | "RUN_SUCCESS" | "RUN_FAILED" | "RUN_CANCELED";
  messageId?: string;
}

type CancelFields = CommonFilter & PlaceFilter;

/** What selects runs to cancel: by the whole URL, by its beginning, or by something else. */
export type CancelFilter =
  | (CancelFields & { workflowUrl: Texts; workflowUrlStartingWith?: never })
  | (CancelFields & { workflowUrlStartingWith: Texts; workflowUrl?: never })
  | (AtLeastOne<Required<CancelFields>> & { workflowUrl?: never; workflowUrlStartingWith?: never });

/** Which runs to cancel. `count` is the most that one call cancels, 100 by default. */
export type WorkflowRunCancelFilters =
  | { workflowRunIds: string[]; filter?: never; all?: never; count?: never }
  | { filter: CancelFilter; count?: number; workflowRunIds?: never; all?: never }
  | { all: true; count?: number; workflowRunIds?: never; filter?: never };

/** Which failed runs to change. `count` is the most that one call takes, 100 by default. */
export type WorkflowDLQActionFilters =
  | { dlqIds: Texts; filter?: never; all?: never; count?: never; cursor?: never }
  | { filter: AtLeastOne<Required<DLQActionFilter>>; count?: number; cursor?: string; dlqIds?: never; all?: never }
  | { all: true; count?: number; cursor?: string; dlqIds?: never; filter?: never };
