"use client";

/** Resumes or restarts a failed run, as a new run that takes its place. */
import { useRouter } from "next/navigation";
import { runHref } from "@/components/runs/links";
import { TextField } from "@/components/ui/field";
import { FieldRow, FormDialog, useForm } from "@/components/ui/form";
import { toast } from "@/components/ui/toast";
import { ask } from "@/lib/broker/transport";
import type { Run } from "@/lib/broker/types";

export interface RecoveryProps {
  mode: "resume" | "restart";
  dlqId: string;
  run: Run;
  onClose: () => void;
}

const MEANING = {
  resume:
    "A new run takes up where this one failed: what its steps have done stays done. This run keeps its log, and its dead letter goes.",
  restart:
    "A new run begins from the input of this one and does every step again. This run keeps its log, and its dead letter goes.",
};

interface Started {
  workflowRunId: string;
  workflowCreatedAt?: number;
}

export function Recovery({ mode, dlqId, run, onClose }: RecoveryProps) {
  const router = useRouter();
  const form = useForm({
    initial: { retries: "", retryDelay: "", delay: "", label: "", flowKey: "", flowValue: "" },
    check: ({ retries, flowKey, flowValue }) => ({
      retries: retries === "" || /^\d+$/.test(retries.trim()) ? undefined : "A whole number, or nothing.",
      flowKey: flowValue && !flowKey ? "Limits need a key." : undefined,
      flowValue: flowKey && !flowValue ? "A key needs a limit, such as parallelism=5." : undefined,
    }),
    submit: async ({ retries, retryDelay, delay, label, flowKey, flowValue }) => {
      const given: Record<string, string> = {
        "upstash-retries": retries,
        "upstash-retry-delay": retryDelay,
        "upstash-delay": delay,
        "upstash-label": label,
        "upstash-flow-control-key": flowKey,
        "upstash-flow-control-value": flowValue,
      };
      const headers = Object.fromEntries(
        Object.entries(given).flatMap(([name, value]) => (value.trim() ? [[name, value.trim()]] : [])),
      );
      const path = `/v2/workflows/dlq/${mode}/${encodeURIComponent(dlqId)}`;
      const started = await ask<Started>(path, { method: "POST", headers });
      toast.done(mode === "resume" ? "The run was resumed" : "The run was restarted", started.workflowRunId);
      router.push(runHref(started.workflowRunId));
    },
  });
  return (
    <FormDialog
      form={form}
      title={mode === "resume" ? "Resume the run" : "Restart the run"}
      action={mode === "resume" ? "Resume" : "Restart"}
      onClose={onClose}
    >
      <p>{MEANING[mode]}</p>
      <details>
        <summary>Settings for the new run; what is left empty stays as it was</summary>
        <div className="flex flex-col gap-4 pt-3">
          <FieldRow>
            <TextField label="Retries" inputMode="numeric" {...form.text("retries")} />
            <TextField
              label="Retry delay"
              placeholder="1000 * (1 + retried)"
              hint="milliseconds"
              {...form.text("retryDelay")}
            />
          </FieldRow>
          <FieldRow>
            <TextField label="Delay" placeholder="10m" {...form.text("delay")} />
            <TextField label="Label" placeholder={run.label ?? ""} {...form.text("label")} />
          </FieldRow>
          <FieldRow>
            <TextField label="Flow-control key" placeholder={run.flowControlKey ?? ""} {...form.text("flowKey")} />
            <TextField
              label="Limits of the key"
              placeholder="parallelism=5, rate=10, period=1m"
              {...form.text("flowValue")}
            />
          </FieldRow>
        </div>
      </details>
    </FormDialog>
  );
}
