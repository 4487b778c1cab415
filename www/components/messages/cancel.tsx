"use client";

/** Cancels messages that wait: those that were picked, or all that fit a filter. */
import { BulkDialog } from "@/components/ui/bulk";
import { isCancelable, LOGS, type MessageSummary, messagesOf, ofRun } from "@/lib/broker/messages";
import { ask, type Query } from "@/lib/broker/transport";
import type { LogEntry } from "@/lib/broker/types";

/** The broker takes up to 90 values of a filter. */
const AT_ONCE = 50;
const PAGE = 1_000;

export type CancelDialogProps = { onClose: () => void; onEnd: () => unknown } & (
  | { messages: readonly MessageSummary[]; query?: never; fits?: never }
  | { messages?: never; query: Query; fits: (message: MessageSummary) => boolean }
);

export function CancelDialog({ messages, query, fits, onClose, onEnd }: CancelDialogProps) {
  return (
    <BulkDialog
      title="Cancel messages"
      action="Cancel"
      done="canceled"
      skipped="had ended before"
      noun={["message", "messages"]}
      items={
        messages
          ? messages.map(({ messageId }) => messageId)
          : (signal, tell) => findCancelable(query, (message) => fits(message) && isCancelable(message), signal, tell)
      }
      nameOf={(id) => id}
      size={AT_ONCE}
      parallel={2}
      act={cancelThese}
      onClose={onClose}
      onEnd={onEnd}
    >
      <p className="text-soft">
        They won’t be delivered. An attempt that is under way may still reach its destination; nothing follows it.
        Messages of runs are left alone: cancel their runs instead.
      </p>
    </BulkDialog>
  );
}

/** @returns how many of them still waited */
export async function cancelThese(messageIds: string[]): Promise<number | undefined> {
  const answer = await ask<{ cancelled?: number } | undefined>("/v2/messages", {
    method: "DELETE",
    query: { messageIds },
  });
  return answer?.cancelled;
}

/** Reads the log to its end; its entries are newest first, so the first of a message tells its state. */
async function findCancelable(
  query: Query,
  fits: (message: MessageSummary) => boolean,
  signal: AbortSignal,
  tell: (found: number) => void,
): Promise<string[]> {
  const seen = new Set<string>();
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const page: { items: LogEntry[]; cursor: string | undefined } = LOGS.pageOf(
      await ask(LOGS.path, { query: { ...query, count: PAGE, cursor }, signal }),
    );
    for (const message of messagesOf(ofRun(page.items, query.workflowRunId))) {
      if (!seen.has(message.messageId) && fits(message)) found.push(message.messageId);
      seen.add(message.messageId);
    }
    tell(found.length);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}
