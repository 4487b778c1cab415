"use client";

import { BulkDialog } from "@/components/ui/bulk";
import { ConfirmDialog } from "@/components/ui/dialog";
import { toast } from "@/components/ui/toast";
import { ask } from "@/lib/broker/transport";
import type { Run } from "@/lib/broker/types";
import { endpointName } from "@/lib/format";

const MEANING =
  "Nothing of it is delivered any more. A delivery that is under way may still do its step; its result is refused.";

export function CancelRun({ run, onClose, reload }: { run: Run; onClose: () => void; reload: () => unknown }) {
  const cancel = async () => {
    await ask(`/v2/workflows/runs/${encodeURIComponent(run.workflowRunId)}`, { method: "DELETE" });
    await reload();
    toast.done("The run was canceled", run.workflowRunId);
  };
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title={`Cancel this run of ${endpointName(run.workflowUrl)}?`}
      action="Cancel the run"
      onConfirm={cancel}
    >
      <p>{MEANING}</p>
    </ConfirmDialog>
  );
}

/** The broker takes up to 90 values of a filter. */
const AT_ONCE = 50;

/** Several, with progress. */
export function CancelRuns({
  runIds,
  onClose,
  onEnd,
}: {
  runIds: readonly string[];
  onClose: () => void;
  onEnd: () => unknown;
}) {
  return (
    <BulkDialog
      title="Cancel runs"
      action="Cancel"
      done="canceled"
      noun={["run", "runs"]}
      items={runIds}
      nameOf={(id) => id}
      size={AT_ONCE}
      parallel={2}
      act={cancelThese}
      onClose={onClose}
      onEnd={onEnd}
    >
      <p className="text-soft">{MEANING}</p>
    </BulkDialog>
  );
}

/** @returns how many of them were still going on */
async function cancelThese(workflowRunIds: string[]): Promise<number | undefined> {
  const query = { workflowRunIds, count: workflowRunIds.length };
  const answer = await ask<{ cancelled?: number } | undefined>("/v2/workflows/runs", { method: "DELETE", query });
  return answer?.cancelled;
}
