"use client";

import { type ReactNode, useState } from "react";
import { ContentFields, contentErrors } from "@/components/publish/fields";
import { CronPreview, useCron } from "@/components/schedules/cron";
import { TextField } from "@/components/ui/field";
import { type Errors, FieldRow, type Form, FormDialog, useForm } from "@/components/ui/form";
import { toast } from "@/components/ui/toast";
import { putSchedule } from "@/lib/broker/publication";
import { destinationError, isPlain, numberError, optionalNameError, optionalUrlError } from "@/lib/checks";
import {
  cronOf,
  draftOf,
  hiddenIn,
  NEW_SCHEDULE,
  publicationOf,
  type ScheduleDraft,
  type ShownSchedule,
  splitLabels,
} from "@/lib/schedules";
import { isTimeZone, zoneHere } from "@/lib/zone";

interface Props {
  /** The one to change; a new one if absent. */
  schedule?: ShownSchedule | undefined;
  ids: readonly string[];
  onClose: () => void;
  onDone: () => unknown;
}

/** Makes a schedule, or replaces one. Mounted while it is open. */
export function EditDialog({ schedule, ids, onClose, onDone }: Props) {
  const hidden = schedule ? hiddenIn(schedule) : undefined;
  const form = useForm<ScheduleDraft>({
    initial: schedule ? draftOf(schedule) : NEW_SCHEDULE,
    check: (draft) => ({
      ...errorsOf(draft, reading.error),
      ...(schedule ? {} : { id: idError(draft.id.trim(), ids) }),
      ...(hidden?.body && draft.body === ""
        ? { body: "Enter it again: saving replaces it, and it can’t be shown here." }
        : {}),
    }),
    submit: async (draft) => {
      const { scheduleId } = await putSchedule(draft.id.trim() || undefined, cronOf(draft), publicationOf(draft));
      toast.done(schedule ? "Schedule saved" : "Schedule created", scheduleId);
      await onDone();
    },
  });
  const reading = useCron(form.values.cron, form.values.timeZone.trim());
  return (
    <FormDialog
      form={form}
      isWide
      title={schedule ? `Edit ${schedule.scheduleId}` : "Create a schedule"}
      action={schedule ? "Save" : "Create"}
      onClose={onClose}
    >
      {schedule?.isPaused && <p className="text-soft">It is paused, and stays so when it is saved.</p>}
      {(schedule?.callback || schedule?.failureCallback) && (
        <p className="border-l-4 border-warn bg-warn-wash px-3 py-1.5">
          Saving replaces the schedule. The broker does not show the methods, retries and headers of its callbacks; they
          are not kept.
        </p>
      )}
      {!schedule && (
        <TextField
          label="Id"
          hint="Or empty: the broker chooses one."
          spellCheck={false}
          autoComplete="off"
          {...form.text("id")}
        />
      )}
      <When form={form} />
      <TextField
        label="Destination"
        hint="A URL, or the name of a URL group."
        placeholder="https://example.com/api/task"
        inputMode="url"
        spellCheck={false}
        autoComplete="off"
        {...form.text("destination")}
      />
      <ContentFields form={form} />
      <More form={form} />
    </FormDialog>
  );
}

function When({ form }: { form: Form<ScheduleDraft> }) {
  const { values, errors } = form;
  return (
    <>
      <FieldRow>
        <TextField
          label="Cron"
          hint="Minute, hour, day, month, weekday; or @daily and the like."
          placeholder="0 4 * * MON-FRI"
          className="font-mono"
          spellCheck={false}
          autoComplete="off"
          {...form.text("cron")}
        />
        <TextField
          label="Time zone"
          hint={`UTC if empty. Here it is ${zoneHere()}.`}
          placeholder="UTC"
          list="time-zones"
          spellCheck={false}
          autoComplete="off"
          {...form.text("timeZone")}
        />
      </FieldRow>
      <datalist id="time-zones">
        {Intl.supportedValuesOf("timeZone").map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      {values.cron.trim() !== "" && !errors.cron && (
        <div className="border-l-2 border-line pl-3">
          <CronPreview cron={values.cron} timeZone={values.timeZone.trim()} />
        </div>
      )}
    </>
  );
}

/** What most schedules leave as it is; open while something in it is set or wrong. */
function More({ form }: { form: Form<ScheduleDraft> }) {
  const { errors, values, refusals } = form;
  const [isOpen, setOpen] = useState(() => MORE.some((name) => values[name] !== ""));
  const isWrong = MORE.some((name) => errors[name]);
  return (
    // In the same go as its errors, so that the first of them can get the focus.
    <details open={isOpen || (refusals > 0 && isWrong)} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="font-medium">Retries, callbacks, queue, flow control</summary>
      <div className="mt-3 flex flex-col gap-4">
        <FieldRow>
          <Small label="Retries" hint="The broker’s default if empty." inputMode="numeric" {...form.text("retries")} />
          <Small label="Retry delay" hint="An expression in ms: 1000 * pow(2, retried)." {...form.text("retryDelay")} />
        </FieldRow>
        <FieldRow>
          <Small label="Delay in seconds" hint="After each time." inputMode="numeric" {...form.text("delay")} />
          <Small label="Timeout in seconds" hint="Of one delivery." inputMode="numeric" {...form.text("timeout")} />
        </FieldRow>
        <FieldRow>
          <Small label="Callback" hint="A URL that hears of each outcome." inputMode="url" {...form.text("callback")} />
          <Small
            label="Failure callback"
            hint="A URL that hears when all tries failed."
            inputMode="url"
            {...form.text("failureCallback")}
          />
        </FieldRow>
        <FieldRow>
          <Small label="Queue" hint="Through which it goes." {...form.text("queue")} />
          <Small label="Labels" hint="Joined by commas." {...form.text("labels")} />
        </FieldRow>
        <FieldRow>
          <Small label="Flow-control key" {...form.text("flowKey")} />
          <Small label="Parallelism" inputMode="numeric" {...form.text("flowParallelism")} />
          <Small label="Rate" inputMode="numeric" {...form.text("flowRate")} />
          <Small label="Period in seconds" inputMode="numeric" {...form.text("flowPeriod")} />
        </FieldRow>
        <Small label="Hidden in views" hint="body, header, header[Name], joined by commas." {...form.text("redact")} />
      </div>
    </details>
  );
}

const Small = (props: Parameters<typeof TextField>[0]): ReactNode => (
  <TextField spellCheck={false} autoComplete="off" {...props} />
);

const MORE = [
  "retries",
  "retryDelay",
  "delay",
  "timeout",
  "callback",
  "failureCallback",
  "queue",
  "labels",
  "flowKey",
  "flowParallelism",
  "flowRate",
  "flowPeriod",
  "redact",
] as const;

function idError(id: string, ids: readonly string[]): string | undefined {
  if (ids.includes(id)) return "There is a schedule with this id: edit that one, or take another.";
  return optionalNameError(id, "an id");
}

function errorsOf(draft: ScheduleDraft, cronError: string | undefined): Errors<ScheduleDraft> {
  const { timeZone, flowKey, flowParallelism, flowRate, flowPeriod } = draft;
  const hasLimits = [flowParallelism, flowRate, flowPeriod].some((text) => text.trim() !== "");
  return {
    ...contentErrors(draft as ScheduleDraft & { method: string; contentType: string; body: string; headers: string }),
    cron: draft.cron.trim() === "" ? "Give a cron expression such as 0 4 * * *." : cronError,
    timeZone:
      timeZone.trim() === "" || isTimeZone(timeZone.trim())
        ? undefined
        : "The IANA name of a time zone such as Europe/Berlin.",
    destination: destinationError(draft.destination.trim()),
    retries: numberError(draft.retries),
    delay: numberError(draft.delay),
    timeout: numberError(draft.timeout, { least: 1 }),
    callback: optionalUrlError(draft.callback.trim()),
    failureCallback: optionalUrlError(draft.failureCallback.trim()),
    queue: optionalNameError(draft.queue.trim(), "the queue a name"),
    labels: splitLabels(draft.labels).every(isPlain) ? undefined : "Letters, digits, “-”, “_” and “.” in each.",
    flowKey: hasLimits && flowKey.trim() === "" ? "Limits need a key." : optionalNameError(flowKey.trim(), "a key"),
    flowParallelism: numberError(flowParallelism, { least: 1 }),
    flowRate: numberError(flowRate, { least: 1 }),
    flowPeriod:
      flowPeriod.trim() !== "" && flowRate.trim() === ""
        ? "A period needs a rate."
        : numberError(flowPeriod, { least: 1 }),
  };
}
