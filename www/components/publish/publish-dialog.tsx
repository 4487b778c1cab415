"use client";

import { ContentFields, contentErrors, contentOf, EMPTY_CONTENT } from "@/components/publish/fields";
import { TextField } from "@/components/ui/field";
import { FieldRow, FormDialog, useForm } from "@/components/ui/form";
import { toast } from "@/components/ui/toast";
import { publish } from "@/lib/broker/publication";
import { destinationError, numberError, numberOf, optionalNameError } from "@/lib/checks";
import { counted } from "@/lib/format";

export interface PublishDialogProps {
  /** The queue that it goes through. */
  queue?: string;
  /** The URL group that it goes to; a field asks for the destination if absent. */
  group?: string;
  onClose: () => void;
  onDone?: () => unknown;
}

/** One message, typed in. Mounted while it is open. */
export function PublishDialog({ queue, group, onClose, onDone }: PublishDialogProps) {
  const form = useForm({
    initial: { ...EMPTY_CONTENT, destination: group ?? "", retries: "", label: "" },
    check: (values) => ({
      ...contentErrors(values),
      destination: destinationError(values.destination.trim()),
      retries: numberError(values.retries),
      label: optionalNameError(values.label.trim(), "a label"),
    }),
    submit: async (values) => {
      const accepted = await publish({
        ...contentOf(values),
        destination: values.destination.trim(),
        queue,
        retries: numberOf(values.retries),
        labels: values.label.trim() ? [values.label.trim()] : undefined,
      });
      const ids = accepted.map(({ messageId }) => messageId).join(", ");
      toast.done(`${counted(accepted.length, "message")} ${queue === undefined ? "published" : "enqueued"}`, ids);
      await onDone?.();
    },
  });
  return (
    <FormDialog
      form={form}
      title={queue === undefined ? `Publish to ${group ?? "a destination"}` : `Enqueue in ${queue}`}
      action={queue === undefined ? "Publish" : "Enqueue"}
      onClose={onClose}
    >
      {group === undefined && (
        <TextField
          label="Destination"
          hint="A URL, or the name of a URL group."
          placeholder="https://example.com/api/task"
          inputMode="url"
          spellCheck={false}
          autoComplete="off"
          {...form.text("destination")}
        />
      )}
      <ContentFields form={form} />
      <FieldRow>
        <TextField
          label="Retries"
          hint="The broker’s default if empty."
          inputMode="numeric"
          {...form.text("retries")}
        />
        <TextField label="Label" hint="To find it by, or empty." spellCheck={false} {...form.text("label")} />
      </FieldRow>
    </FormDialog>
  );
}
