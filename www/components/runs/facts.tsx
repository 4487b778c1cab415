"use client";

import Link from "next/link";
import type { ReactNode } from "react";
import { runHref } from "@/components/runs/links";
import { Identifier } from "@/components/ui/copy";
import { useMasked } from "@/components/ui/masked";
import { Clock, Elapsed } from "@/components/ui/time";
import type { Run } from "@/lib/broker/types";
import { dateTime } from "@/lib/format";

/** What a run is, in a few lines. */
export function RunFacts({ run, others }: { run: Run; others: readonly Run[] }) {
  const { workflowRunId, workflowUrl, workflowRunCreatedAt, workflowRunCompletedAt, invoker, flowControlKey } = run;
  const url = useMasked(workflowUrl);
  const labels = run.labels ?? (run.label ? [run.label] : []);
  return (
    <dl className="flex flex-wrap gap-x-7 gap-y-2 px-5 pb-3 text-sm max-sm:px-4">
      <Item name="Run">
        <Identifier id={workflowRunId} label="Copy the run id" />
      </Item>
      <Item name="Workflow">
        <Identifier id={url} label="Copy the workflow URL" />
      </Item>
      <Item name="Started">
        <Clock at={workflowRunCreatedAt} />
      </Item>
      <Item name={workflowRunCompletedAt === undefined ? "Running for" : "Took"}>
        <Elapsed from={workflowRunCreatedAt} to={workflowRunCompletedAt} />
      </Item>
      {labels.length > 0 && (
        <Item name={labels.length > 1 ? "Labels" : "Label"}>
          {labels.map((label, index) => (
            <span key={label}>
              {index > 0 && ", "}
              <TextLink href={`/runs?q=${encodeURIComponent(label)}`}>{label}</TextLink>
            </span>
          ))}
        </Item>
      )}
      {flowControlKey && (
        <Item name="Flow control">
          <TextLink href={`/flow-control?q=${encodeURIComponent(flowControlKey)}`}>{flowControlKey}</TextLink>
        </Item>
      )}
      {invoker && (
        <Item name="Invoked by">
          <TextLink href={runHref(invoker.workflowRunId, invoker.workflowRunCreatedAt)}>
            {invoker.workflowRunId}
          </TextLink>
        </Item>
      )}
      {run.workflowRunCallerIp && <Item name="Caller">{run.workflowRunCallerIp}</Item>}
      {others.length > 0 && (
        <Item name="The same id">
          {others.map(({ workflowRunCreatedAt: at }, index) => (
            <span key={at}>
              {index > 0 && ", "}
              <TextLink href={runHref(workflowRunId, at)}>{dateTime(at)}</TextLink>
            </span>
          ))}
        </Item>
      )}
    </dl>
  );
}

function Item({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="max-w-full min-w-0">
      <dt className="text-xs text-faint">{name}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </div>
  );
}

export function TextLink({ href, children }: { href: string; children: ReactNode }) {
  return (
    <Link
      href={href}
      prefetch={false}
      className="break-all underline decoration-edge underline-offset-2 hover:decoration-ink"
    >
      {children}
    </Link>
  );
}
