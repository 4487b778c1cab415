"use client";

/** Limits that hold whatever messages ask for. Both are mounted while they are open. */
import { CheckField, TextField } from "@/components/ui/field";
import { FieldRow, FormDialog, useForm } from "@/components/ui/form";
import { toast } from "@/components/ui/toast";
import { ask } from "@/lib/broker/transport";
import type { FlowControlInfo } from "@/lib/broker/types";
import { nameError, numberError } from "@/lib/checks";

const DAY_S = 86_400;
const LONGEST_PERIOD_S = 7 * DAY_S;

interface PinDialogProps {
  /** The key as it is; a field asks for its name if absent. */
  limits?: FlowControlInfo | undefined;
  onClose: () => void;
  onDone: () => unknown;
}

export function PinDialog({ limits, onClose, onDone }: PinDialogProps) {
  const known = (value: number | undefined) => (value ? String(value) : "");
  const form = useForm({
    initial: {
      key: limits?.flowControlKey ?? "",
      parallelism: known(limits?.parallelismMax),
      rate: known(limits?.rateMax),
      period: known(limits?.ratePeriod),
    },
    check: ({ key, parallelism, rate, period }) => ({
      key: nameError(key.trim(), "the key"),
      parallelism:
        parallelism.trim() === "" && rate.trim() === ""
          ? "Give a parallelism, a rate, or both."
          : numberError(parallelism, { least: 1 }),
      rate: numberError(rate, { least: 1 }),
      period:
        period.trim() !== "" && rate.trim() === ""
          ? "A period needs a rate."
          : numberError(period, { least: 1, most: LONGEST_PERIOD_S }),
    }),
    submit: async ({ key, parallelism, rate, period }) => {
      const query = { parallelism: parallelism.trim(), rate: rate.trim(), period: rate.trim() && period.trim() };
      await ask(`/v2/flowControl/${encodeURIComponent(key.trim())}/pin`, { method: "POST", query });
      toast.done("Limits pinned", key.trim());
      await onDone();
    },
  });
  return (
    <FormDialog
      form={form}
      title={limits ? `Pin the limits of ${limits.flowControlKey}` : "Pin the limits of a key"}
      action="Pin"
      onClose={onClose}
    >
      <p className="text-soft">Pinned limits hold whatever later messages ask for. What is left empty is not pinned.</p>
      {!limits && (
        <TextField
          label="Key"
          hint="It is made if no message has named it yet."
          spellCheck={false}
          autoComplete="off"
          {...form.text("key")}
        />
      )}
      <TextField
        label="Parallelism"
        hint="Deliveries under way at once."
        inputMode="numeric"
        {...form.text("parallelism")}
      />
      <FieldRow>
        <TextField label="Rate" hint="Deliveries that begin in a period." inputMode="numeric" {...form.text("rate")} />
        <TextField
          label="Period in seconds"
          hint="1 if empty; at most 7 days."
          inputMode="numeric"
          {...form.text("period")}
        />
      </FieldRow>
    </FormDialog>
  );
}

export function UnpinDialog({
  limits,
  onClose,
  onDone,
}: {
  limits: FlowControlInfo;
  onClose: () => void;
  onDone: () => unknown;
}) {
  const { flowControlKey, isPinnedParallelism, isPinnedRate } = limits;
  const form = useForm({
    initial: { parallelism: isPinnedParallelism, rate: isPinnedRate, none: "" },
    check: ({ parallelism, rate }) => ({ none: parallelism || rate ? undefined : "Pick what to unpin." }),
    submit: async ({ parallelism, rate }) => {
      await ask(`/v2/flowControl/${encodeURIComponent(flowControlKey)}/unpin`, {
        method: "POST",
        query: { parallelism: parallelism || undefined, rate: rate || undefined },
      });
      toast.done("Limits unpinned", flowControlKey);
      await onDone();
    },
  });
  return (
    <FormDialog form={form} title={`Unpin ${flowControlKey}`} action="Unpin" onClose={onClose}>
      <p className="text-soft">Messages may change what is unpinned again; until one does, the limit stays as it is.</p>
      {isPinnedParallelism && (
        <CheckField label={`Parallelism: ${limits.parallelismMax}`} {...form.box("parallelism")} />
      )}
      {isPinnedRate && <CheckField label={`Rate: ${limits.rateMax} in ${limits.ratePeriod} s`} {...form.box("rate")} />}
      {form.errors.none && (
        <p role="alert" className="text-bad">
          {form.errors.none}
        </p>
      )}
    </FormDialog>
  );
}
