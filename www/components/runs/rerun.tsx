"use client";

/** Starts a new run of the same workflow, with this input or another. */
import type { FlowControl } from "@repo/orchestration/client";
import { useRouter } from "next/navigation";
import { runHref } from "@/components/runs/links";
import { problemOf } from "@/components/runs/notify";
import { CheckField, TextArea, TextField } from "@/components/ui/field";
import { FieldRow, FormDialog, useForm } from "@/components/ui/form";
import { readable } from "@/components/ui/payload";
import { toast } from "@/components/ui/toast";
import { headerLines, isHidden } from "@/lib/broker/hidden";
import { BASE, storedToken } from "@/lib/broker/transport";
import type { HeaderLists, LogEntry, Run } from "@/lib/broker/types";

/** The app's server has the token and puts it in this one's place. */
const TOKEN_OF_THE_SERVER = "held-by-the-server";
/** Headers that the broker and its engines write themselves. */
const INTERNAL = /^(upstash-.*|content-type|content-length|host|user-agent|authorization-upstash.*)$/i;

export function Rerun({ run, events, onClose }: { run: Run; events: readonly LogEntry[]; onClose: () => void }) {
  const router = useRouter();
  const input = inputOf(run);
  const start = startOf(run, events);
  const isInputHidden = isHidden(input);
  const form = useForm({
    initial: {
      body: isInputHidden ? "" : laidOut(input),
      isText: !isInputHidden && problemOf(input) !== undefined,
      label: (run.labels ?? []).join(", "),
      retries: start?.maxRetries?.toString() ?? "",
      flowKey: run.flowControlKey ?? "",
      flowValue: limitsOf(start),
      headers: headersOf(start?.header),
    },
    check: ({ body, isText, retries, headers, flowKey, flowValue }) => ({
      body:
        isInputHidden && body === "" ? "Enter it again: the broker hides it." : isText ? undefined : problemOf(body),
      retries: retries === "" || /^\d+$/.test(retries.trim()) ? undefined : "A whole number, or nothing.",
      headers: lines(headers).every(([name, value]) => name && value)
        ? undefined
        : "One header a line, as Name: value; what the broker hides is to be entered again.",
      flowKey: flowValue && !flowKey ? "Limits need a key." : undefined,
      flowValue:
        flowKey && !/\b(parallelism|rate)\s*=\s*\d+/.test(flowValue)
          ? "A key needs a limit, such as parallelism=5."
          : undefined,
    }),
    submit: async ({ body, label, retries, flowKey, flowValue, headers }) => {
      const { Client } = await import("@repo/orchestration/workflows");
      const client = new Client({
        baseUrl: location.origin + BASE,
        token: storedToken() ?? TOKEN_OF_THE_SERVER,
        retry: false,
        env: {},
      });
      const labels = label
        .split(",")
        .map((each) => each.trim())
        .filter(Boolean);
      const { workflowRunId } = await client.trigger({
        url: run.workflowUrl,
        // As it is written: numbers beyond 2^53 would not survive being parsed.
        body,
        headers: joined(lines(headers)),
        ...(labels.length > 0 ? { label: labels } : {}),
        ...(retries === "" ? {} : { retries: Number(retries) }),
        ...(flowKey ? { flowControl: flowControl(flowKey, flowValue) } : {}),
      });
      toast.done("A new run was started", workflowRunId);
      router.push(runHref(workflowRunId));
    },
  });
  return (
    <FormDialog form={form} title="Run again" action="Start a new run" onClose={onClose} isWide>
      <p className="break-all text-soft">{run.workflowUrl}</p>
      <TextArea
        label="Input"
        hint={isInputHidden ? "The broker hides the input of this run: write it anew." : undefined}
        rows={10}
        {...form.text("body")}
      />
      <CheckField label="Send it as text" hint="Else it must be JSON." {...form.box("isText")} />
      <FieldRow>
        <TextField label="Labels" {...form.text("label")} />
        <TextField label="Retries" inputMode="numeric" {...form.text("retries")} />
      </FieldRow>
      <FieldRow>
        <TextField label="Flow-control key" {...form.text("flowKey")} />
        <TextField
          label="Limits of the key"
          placeholder="parallelism=5, rate=10, period=1m"
          {...form.text("flowValue")}
        />
      </FieldRow>
      <TextArea
        label="Headers"
        hint="Those that the workflow gets, one a line, as Name: value."
        rows={3}
        {...form.text("headers")}
      />
      <p className="text-soft">
        The retry delay, the timeout and the failure URL of this run are not taken over: the new one has the defaults.
      </p>
    </FormDialog>
  );
}

function inputOf(run: Run): string {
  const steps = run.steps.flatMap((group) => (group.type === "next" ? [] : group.steps));
  const out = steps.find(({ stepType }) => stepType === "Initial")?.out;
  return typeof out === "string" ? out : out === undefined ? "" : JSON.stringify(out);
}

/** JSON laid out to be read, unless that would change it. */
function laidOut(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text)) === text ? readable(text) : text;
  } catch {
    return text;
  }
}

/** The entry of the message that began it: its settings are the run's. */
function startOf(run: Run, events: readonly LogEntry[]): LogEntry | undefined {
  const steps = run.steps.flatMap((group) => (group.type === "next" ? [] : group.steps));
  const first = steps.find(({ stepType }) => stepType === "Initial")?.messageId;
  return events.findLast(({ messageId }) => messageId === first);
}

function limitsOf(start: LogEntry | undefined): string {
  const { parallelism, rate, period } = start ?? {};
  return [parallelism && `parallelism=${parallelism}`, rate && `rate=${rate}`, rate && period && `period=${period}s`]
    .filter(Boolean)
    .join(", ");
}

function headersOf(headers: HeaderLists | undefined): string {
  return headerLines(Object.entries(headers ?? {}).filter(([name]) => !INTERNAL.test(name)));
}

/** A line without a colon has no value. */
function lines(text: string): [name: string, value: string | undefined][] {
  const written = text.split("\n").filter((line) => line.trim() !== "");
  return written.map((line) => {
    const at = line.indexOf(":");
    return at < 0 ? [line.trim(), undefined] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
}

/** A name that comes again adds to its value, as HTTP has it. */
function joined(headers: readonly [name: string, value: string | undefined][]): Record<string, string> {
  const values = new Headers();
  for (const [name, value = ""] of headers) values.append(name, value);
  return Object.fromEntries(values);
}

/** `parallelism=5, rate=10, period=1m`, as the client takes it; checked before. */
function flowControl(key: string, text: string): FlowControl {
  const value = (name: string) => text.match(new RegExp(`\\b${name}\\s*=\\s*([^,\\s]+)`))?.[1];
  const [parallelism, rate, period] = [value("parallelism"), value("rate"), value("period")];
  const limits = {
    key,
    ...(parallelism ? { parallelism: Number(parallelism) } : {}),
    ...(rate ? { rate: Number(rate) } : {}),
    ...(period ? { period } : {}),
  };
  return limits as FlowControl;
}
