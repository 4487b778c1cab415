"use client";

/** What a message belongs to and came through, as links. */
import Link from "next/link";
import { Fact } from "@/components/ui/page";
import { groupAt, runAt, scheduleAt } from "@/lib/places";

export interface Source {
  workflowRunId?: string;
  queueName?: string;
  topicName?: string;
  endpointName?: string;
  scheduleId?: string;
  flowControlKey?: string;
  label?: string;
  labels?: string[];
}

export function SourceFacts({ of }: { of: Source }) {
  const labels = of.labels ?? (of.label ? [of.label] : []);
  return (
    <>
      <Fact name="Run">{of.workflowRunId && <To href={runAt(of.workflowRunId)}>{of.workflowRunId}</To>}</Fact>
      <Fact name="Queue">
        {of.queueName && <To href={`/queues?q=${encodeURIComponent(of.queueName)}`}>{of.queueName}</To>}
      </Fact>
      <Fact name="URL group">
        {of.topicName && <To href={groupAt(of.topicName)}>{of.topicName}</To>}
        {of.topicName && of.endpointName && <span className="text-soft">, endpoint {of.endpointName}</span>}
      </Fact>
      <Fact name="Schedule">{of.scheduleId && <To href={scheduleAt(of.scheduleId)}>{of.scheduleId}</To>}</Fact>
      <Fact name="Flow-control key">
        {of.flowControlKey && (
          <To href={`/flow-control?q=${encodeURIComponent(of.flowControlKey)}`}>{of.flowControlKey}</To>
        )}
      </Fact>
      <Fact name={labels.length > 1 ? "Labels" : "Label"}>
        {labels.length > 0 &&
          labels.map((label, index) => (
            <span key={label}>
              {index > 0 && ", "}
              <To href={`/messages?label=${encodeURIComponent(label)}`}>{label}</To>
            </span>
          ))}
      </Fact>
    </>
  );
}

export function To({ href, children }: { href: string; children: string }) {
  return (
    <Link href={href} prefetch={false} className="break-all underline underline-offset-2 hover:text-run">
      {children}
    </Link>
  );
}
