"use client";

/** What is asked about a queue. All are mounted while they are open. */
import { ConfirmDialog } from "@/components/ui/dialog";
import { CheckField, TextField } from "@/components/ui/field";
import { FormDialog, useForm } from "@/components/ui/form";
import { toast } from "@/components/ui/toast";
import { ask } from "@/lib/broker/transport";
import type { Queue } from "@/lib/broker/types";
import { nameError, numberError } from "@/lib/checks";
import { counted } from "@/lib/format";

/** The broker's own bound; hosted QStash has one by plan, and says so. */
const MOST_PARALLEL = 10_000;

interface QueueDialogProps {
  /** The queue to change; a new one if absent. */
  queue?: Queue | undefined;
  names?: readonly string[] | undefined;
  onClose: () => void;
  onDone: () => unknown;
}

export function QueueDialog({ queue, names = [], onClose, onDone }: QueueDialogProps) {
  const form = useForm({
    initial: { name: queue?.name ?? "", parallelism: String(queue?.parallelism ?? 1), paused: queue?.paused ?? false },
    check: ({ name, parallelism }) => ({
      name:
        nameError(name.trim(), "the queue a name") ??
        (!queue && names.includes(name.trim()) ? "There is a queue with this name." : undefined),
      parallelism: numberError(parallelism, { least: 1, most: MOST_PARALLEL, isRequired: true }),
    }),
    submit: async ({ name, parallelism, paused }) => {
      const queueName = name.trim();
      await ask("/v2/queues", { method: "POST", body: { queueName, parallelism: Number(parallelism) } });
      if (!queue && paused) await ask(`/v2/queues/${encodeURIComponent(queueName)}/pause`, { method: "POST" });
      toast.done(queue ? "Queue changed" : "Queue created", queueName);
      await onDone();
    },
  });
  return (
    <FormDialog
      form={form}
      title={queue ? `Change ${queue.name}` : "Create a queue"}
      action={queue ? "Save" : "Create"}
      onClose={onClose}
    >
      {!queue && (
        <TextField
          label="Name"
          hint="Letters, digits, “-”, “_” and “.”."
          spellCheck={false}
          autoComplete="off"
          {...form.text("name")}
        />
      )}
      <TextField
        label="Parallelism"
        hint="How many of its messages may be under way at once. With 1 they are delivered strictly in order."
        inputMode="numeric"
        {...form.text("parallelism")}
      />
      {!queue && (
        <CheckField
          label="Paused at first"
          hint="Messages are accepted and wait until it is resumed."
          {...form.box("paused")}
        />
      )}
    </FormDialog>
  );
}

export function DeleteQueueDialog({
  queue,
  onClose,
  onDone,
}: {
  queue: Queue;
  onClose: () => void;
  onDone: () => unknown;
}) {
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title={`Delete ${queue.name}?`}
      action="Delete"
      onConfirm={async () => {
        await ask(`/v2/queues/${encodeURIComponent(queue.name)}`, { method: "DELETE" });
        toast.done("Queue deleted", queue.name);
        await onDone();
      }}
    >
      {queue.lag > 0 ? (
        <p>
          {counted(queue.lag, "message")} {queue.lag === 1 ? "waits" : "wait"} in it:{" "}
          {queue.lag === 1 ? "it is" : "they are"} canceled and never delivered. A delivery under way is not called
          back, but its outcome is ignored.
        </p>
      ) : (
        <p>
          No message waits in it. The next one that is enqueued by this name makes the queue again, with parallelism 1.
        </p>
      )}
    </ConfirmDialog>
  );
}
