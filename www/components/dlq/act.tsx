"use client";

/** Does one thing with dead letters, and leads to what came of it if that is one. */
import { useState } from "react";
import { To } from "@/components/messages/source";
import { BulkDialog, type Finder } from "@/components/ui/bulk";
import type { Kind, LetterAction } from "@/lib/broker/dead-letters";
import { ask } from "@/lib/broker/transport";
import type { DeadLetter } from "@/lib/broker/types";
import { messageAt, runAt } from "@/lib/places";

interface Made {
  messageId?: string;
  workflowRunId?: string;
}

/** Mounted while it is open. */
export function ActDialog({
  action,
  kind,
  noun,
  items,
  onClose,
  onEnd,
}: {
  action: LetterAction;
  kind: Kind;
  noun: [one: string, many: string];
  items: readonly DeadLetter[] | Finder<DeadLetter>;
  onClose: () => void;
  onEnd: (done: DeadLetter[]) => unknown;
}) {
  const [made, setMade] = useState<Made[]>([]);
  const [only] = made;
  return (
    <BulkDialog
      title={action.id === "callback" ? action.verb : `${action.verb} ${noun[1]}`}
      action={action.verb}
      done={action.done}
      noun={noun}
      items={items}
      nameOf={({ messageId, workflowRunId }) => (kind === "runs" && workflowRunId) || messageId}
      isDangerous={action.isDangerous}
      act={async ([letter]) => {
        if (!letter) return;
        const answer = await ask<Made | undefined>(action.pathOf(letter.dlqId), { method: action.method });
        if (action.method === "POST" && answer) setMade((former) => [...former, answer]);
      }}
      result={made.length === 1 && only && action.id !== "callback" && <Result of={only} />}
      onClose={onClose}
      onEnd={onEnd}
    >
      <p className="text-soft">{action.effect}</p>
    </BulkDialog>
  );
}

function Result({ of: { messageId, workflowRunId } }: { of: Made }) {
  if (workflowRunId) {
    return (
      <p className="mt-3">
        The new run is <To href={runAt(workflowRunId)}>{workflowRunId}</To>.
      </p>
    );
  }
  if (!messageId) return null;
  return (
    <p className="mt-3">
      The new message is <To href={messageAt(messageId)}>{messageId}</To>.
    </p>
  );
}
