"use client";

/** Publishes a message: a new one, or another like one that was. */
import { useRouter } from "next/navigation";
import { ContentFields, contentErrors, contentOf } from "@/components/publish/fields";
import { SelectField, TextField } from "@/components/ui/field";
import { FieldRow, FormDialog, useForm } from "@/components/ui/form";
import { toast } from "@/components/ui/toast";
import { BLANK, type Draft, listOf, type Target } from "@/lib/broker/draft";
import { type Accepted, type FlowControl, publish } from "@/lib/broker/publication";
import {
  destinationError,
  isPlain,
  nameError,
  numberError,
  numberOf,
  optionalNameError,
  optionalSpanError,
  optionalUrlError,
  secondsOf,
  urlError,
} from "@/lib/checks";
import { counted } from "@/lib/format";
import { messageAt } from "@/lib/places";

const TARGETS: { value: Target; label: string }[] = [
  { value: "url", label: "A URL" },
  { value: "group", label: "A URL group" },
  { value: "queue", label: "A queue" },
];

/** Mounted while it is open. */
export function PublishDialog({
  onClose,
  draft = BLANK,
  note,
  isHidden = false,
}: {
  onClose: () => void;
  draft?: Draft;
  note?: string | undefined;
  /** Whether the broker hides the body of the former message: another must be given. */
  isHidden?: boolean;
}) {
  const router = useRouter();
  const form = useForm({
    initial: draft,
    check: (values) => ({
      ...errorsOf(values),
      ...(isHidden && values.body === "" ? { body: "Enter it again: the broker hides it." } : {}),
    }),
    submit: async (values) => {
      const accepted = await publish({
        ...contentOf(values),
        destination: (values.target === "group" ? values.group : values.destination).trim(),
        queue: values.target === "queue" ? values.queue.trim() : undefined,
        delay: secondsOf(values.delay),
        retries: numberOf(values.retries),
        labels: listOf(values.labels),
        flowControl: flowOf(values),
        callback: values.callback.trim() || undefined,
        failureCallback: values.failureCallback.trim() || undefined,
        redact: values.redact.trim() || undefined,
      });
      tell(accepted);
      const [only] = accepted;
      if (accepted.length === 1 && only) router.push(messageAt(only.messageId));
    },
  });
  const { target } = form.values;
  return (
    <FormDialog form={form} title="Publish a message" action="Publish" isWide onClose={onClose}>
      {note && <p className="border-l-4 border-warn bg-warn-wash px-3 py-2">{note}</p>}
      <FieldRow>
        <SelectField label="To" options={TARGETS} {...form.text("target")} />
        {target === "group" && <Plain label="URL group" {...form.text("group")} />}
        {target === "queue" && <Plain label="Queue" hint="It is made if there is none." {...form.text("queue")} />}
      </FieldRow>
      {target !== "group" && (
        <Plain
          label="Destination"
          hint={target === "queue" ? "A URL, or the name of a URL group." : undefined}
          placeholder="https://example.com/api/task"
          inputMode="url"
          {...form.text("destination")}
        />
      )}
      <ContentFields form={form} />
      <FieldRow>
        {target !== "queue" && <Plain label="Delay" placeholder="10m" {...form.text("delay")} />}
        <Plain label="Retries" hint="The broker’s default if empty." inputMode="numeric" {...form.text("retries")} />
        <Plain label="Labels" hint="Parted by commas." {...form.text("labels")} />
      </FieldRow>
      {target !== "queue" && (
        <FieldRow>
          <Plain label="Flow-control key" {...form.text("flowKey")} />
          <Plain label="Parallelism" inputMode="numeric" {...form.text("parallelism")} />
          <Plain label="Rate" inputMode="numeric" {...form.text("rate")} />
          <Plain label="Period of the rate" placeholder="1s" {...form.text("period")} />
        </FieldRow>
      )}
      <FieldRow>
        <Plain label="Callback" hint="A URL that hears of each attempt." inputMode="url" {...form.text("callback")} />
        <Plain
          label="Failure callback"
          hint="A URL that hears if it is given up."
          inputMode="url"
          {...form.text("failureCallback")}
        />
      </FieldRow>
      <Plain
        label="Hidden in views"
        hint="body, header, header[Name], parted by commas; or nothing."
        {...form.text("redact")}
      />
    </FormDialog>
  );
}

function Plain(props: Parameters<typeof TextField>[0]) {
  return <TextField spellCheck={false} autoComplete="off" {...props} />;
}

function errorsOf(values: Draft) {
  const isQueued = values.target === "queue";
  const destination = values.destination.trim();
  const limits = [values.parallelism, values.rate, values.period].some((text) => text.trim() !== "");
  const key = values.flowKey.trim();
  return {
    ...contentErrors(values),
    group: values.target === "group" ? nameError(values.group.trim(), "the name of a URL group") : undefined,
    queue: isQueued ? nameError(values.queue.trim(), "the name of a queue") : undefined,
    destination:
      values.target === "group" ? undefined : isQueued ? destinationError(destination) : urlError(destination),
    delay: isQueued ? undefined : optionalSpanError(values.delay),
    retries: numberError(values.retries),
    labels: listOf(values.labels).every(isPlain) ? undefined : "Letters, digits, “-”, “_” and “.” only.",
    flowKey: isQueued
      ? undefined
      : limits && key === ""
        ? "The limits need a key that they are for."
        : optionalNameError(key, "a key"),
    parallelism: isQueued
      ? undefined
      : key !== "" && values.parallelism.trim() === "" && values.rate.trim() === ""
        ? "A key needs a limit: this one, or a rate."
        : numberError(values.parallelism, { least: 1 }),
    rate: isQueued
      ? undefined
      : values.period.trim() !== "" && values.rate.trim() === ""
        ? "How many start in a period."
        : numberError(values.rate, { least: 1 }),
    period: isQueued ? undefined : optionalSpanError(values.period),
    callback: optionalUrlError(values.callback.trim()),
    failureCallback: optionalUrlError(values.failureCallback.trim()),
  };
}

function flowOf({ target, flowKey, parallelism, rate, period }: Draft): FlowControl | undefined {
  const key = flowKey.trim();
  if (target === "queue" || key === "") return undefined;
  return { key, parallelism: numberOf(parallelism), rate: numberOf(rate), period: secondsOf(period) };
}

function tell(accepted: Accepted[]): void {
  const duplicates = accepted.filter(({ deduplicated }) => deduplicated);
  if (duplicates.length === accepted.length) {
    toast.done(
      "Not published again",
      `It is a duplicate of ${duplicates.map(({ messageId }) => messageId).join(", ")}.`,
    );
    return;
  }
  toast.done(`${counted(accepted.length, "message")} published`);
}
