"use client";

import { Check, X } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { toast } from "@/components/ui/toast";
import { askSamples } from "@/lib/samples";

/** Tells the run that waits. */
export function Decision({ workflowRunId }: { workflowRunId: string }) {
  const [busy, setBusy] = useState<"approve" | "reject">();
  const decide = async (isApproved: boolean) => {
    setBusy(isApproved ? "approve" : "reject");
    try {
      await askSamples("decide", { method: "POST", body: { workflowRunId, isApproved, by: "you" } });
      toast.done(isApproved ? "Approved" : "Rejected", workflowRunId);
    } catch (error) {
      setBusy(undefined);
      toast.failed("The decision was not taken", error);
    }
  };
  return (
    <div className="mt-2 flex items-center gap-2">
      <Button icon={Check} isBusy={busy === "approve"} disabled={busy !== undefined} onClick={() => void decide(true)}>
        Approve
      </Button>
      <Button icon={X} isBusy={busy === "reject"} disabled={busy !== undefined} onClick={() => void decide(false)}>
        Reject
      </Button>
      <span className="text-sm text-soft">It waits for a decision.</span>
    </div>
  );
}
