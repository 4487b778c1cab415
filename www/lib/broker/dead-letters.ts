/** Dead letters: messages that were given up, and failed runs. */
import type { DeadLetter, DeadLetterPage } from "@/lib/broker/types";
import type { Listing } from "@/lib/broker/use";

export type Kind = "messages" | "runs";

/** Whether it is a failed run's: one that tells a failure to a run's failure URL is a message like others. */
export const isOfRun = ({ workflowRunId, isFailureCallback }: DeadLetter): boolean =>
  workflowRunId !== undefined && isFailureCallback !== true;

const idOf = ({ dlqId }: DeadLetter): string => dlqId;

/** Newest first. The list of messages holds failed runs too: who reads it leaves out those that are `isOfRun`. */
export const DEAD_LETTERS: Record<Kind, Listing<DeadLetterPage, DeadLetter>> = {
  messages: {
    path: "/v2/dlq",
    pageOf: ({ messages, cursor }) => ({ items: messages ?? [], cursor: cursor || undefined }),
    idOf,
  },
  runs: {
    path: "/v2/workflows/dlq",
    pageOf: ({ messages, cursor }) => ({ items: messages ?? [], cursor: cursor || undefined }),
    idOf,
  },
};

/** What can be done with one. */
export interface LetterAction {
  id: "retry" | "resume" | "restart" | "callback" | "delete";
  verb: string;
  done: string;
  /** What happens then. */
  effect: string;
  isDangerous: boolean;
  method: "POST" | "DELETE";
  pathOf: (dlqId: string) => string;
}

const at =
  (path: string) =>
  (dlqId: string): string =>
    `${path}/${encodeURIComponent(dlqId)}`;

export const ACTIONS: Record<Kind, readonly LetterAction[]> = {
  messages: [
    {
      id: "retry",
      verb: "Retry",
      done: "published again",
      effect: "Each becomes a new message with the same destination, headers and body, and leaves the dead letters.",
      isDangerous: false,
      method: "POST",
      pathOf: at("/v2/dlq/retry"),
    },
    {
      id: "delete",
      verb: "Delete",
      done: "deleted",
      effect: "What they held can’t be had again.",
      isDangerous: true,
      method: "DELETE",
      pathOf: at("/v2/dlq"),
    },
  ],
  runs: [
    {
      id: "resume",
      verb: "Resume",
      done: "resumed",
      effect: "Each goes on, as a new run, at the step that failed; the steps before keep their results.",
      isDangerous: false,
      method: "POST",
      pathOf: at("/v2/workflows/dlq/resume"),
    },
    {
      id: "restart",
      verb: "Restart",
      done: "restarted",
      effect: "Each begins anew with the same input: every step runs again.",
      isDangerous: false,
      method: "POST",
      pathOf: at("/v2/workflows/dlq/restart"),
    },
    {
      id: "callback",
      verb: "Run failure function",
      done: "told to their failure function again",
      effect: "The failure function of each is called again; the run stays failed.",
      isDangerous: false,
      method: "POST",
      pathOf: at("/v2/workflows/dlq/callback"),
    },
    {
      id: "delete",
      verb: "Delete",
      done: "deleted",
      effect: "They can’t be resumed or restarted then; the runs stay in the list of runs.",
      isDangerous: true,
      method: "DELETE",
      pathOf: at("/v2/workflows/dlq"),
    },
  ],
};
