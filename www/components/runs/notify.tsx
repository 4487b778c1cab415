"use client";

import { SelectField, TextArea } from "@/components/ui/field";
/** Brings an event to the runs that wait for it. */
import { FormDialog, useForm } from "@/components/ui/form";
import { toast } from "@/components/ui/toast";
import { ask } from "@/lib/broker/transport";
import { useBroker } from "@/lib/broker/use";
import { counted } from "@/lib/format";

export function NotifyDialog({ eventId, runId, onClose }: { eventId: string; runId: string; onClose: () => void }) {
  const event = encodeURIComponent(eventId);
  const { data: waiters } = useBroker<unknown[]>(`/v2/waiters/${event}`);
  const form = useForm({
    initial: { data: "", to: "all" },
    check: ({ data }) => ({ data: problemOf(data) }),
    submit: async ({ data, to }) => {
      const path = to === "run" ? `/v2/notify/${encodeURIComponent(runId)}/${event}` : `/v2/notify/${event}`;
      const json = data.trim() !== "";
      const told = await ask<unknown[] | object>(path, {
        method: "POST",
        body: data,
        headers: json ? { "content-type": "application/json" } : {},
      });
      const number = Array.isArray(told) ? told.length : 1;
      if (number === 0) throw new Error("Nobody waits for this event any more: nothing was notified.");
      toast.done(`${counted(number, "waiter")} notified`, eventId);
    },
  });
  return (
    <FormDialog form={form} title={<>Notify “{eventId}”</>} action="Notify" onClose={onClose}>
      <TextArea
        label="Data"
        hint="JSON: what the waiting step returns as its eventData. Empty for none."
        placeholder='{ "approved": true }'
        rows={8}
        {...form.text("data")}
      />
      <SelectField
        label="To whom"
        hint={
          waiters
            ? `${counted(waiters.length, "step")} ${waiters.length === 1 ? "waits" : "wait"} for this event.`
            : undefined
        }
        options={[
          { value: "all", label: "All who wait for it" },
          { value: "run", label: "This run alone" },
        ]}
        {...form.text("to")}
      />
    </FormDialog>
  );
}

/** Why a text is no JSON. */
export function problemOf(text: string): string | undefined {
  if (text.trim() === "") return undefined;
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return `This is not JSON: ${(error as Error).message}`;
  }
}
