"use client";

import { ConfirmDialog } from "@/components/ui/dialog";
import { toast } from "@/components/ui/toast";
import { ask } from "@/lib/broker/transport";

/** Runs the failure function of a failed run again. */
export function TellAgain({ dlqId, onClose, reload }: { dlqId: string; onClose: () => void; reload: () => unknown }) {
  const tell = async () => {
    await ask(`/v2/workflows/dlq/callback/${encodeURIComponent(dlqId)}`, { method: "POST" });
    await reload();
    toast.done("The failure function is called again");
  };
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title="Call the failure function again?"
      action="Call it"
      isDangerous={false}
      onConfirm={tell}
    >
      <p>It gets the same failure as before. The run stays failed, whatever it does.</p>
    </ConfirmDialog>
  );
}
