"use client";

/** What a run waits for, and for how long yet. */
import { Bell } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { TextLink } from "@/components/runs/facts";
import { runHref } from "@/components/runs/links";
import { Button } from "@/components/ui/button";
import { Masked } from "@/components/ui/masked";
import { useNow } from "@/components/ui/time";
import type { Run, Wait } from "@/lib/broker/types";
import { dateTime, duration } from "@/lib/format";

const NotifyDialog = dynamic(() => import("@/components/runs/notify").then((it) => it.NotifyDialog));

export function Waits({ run }: { run: Run }) {
  const [eventId, setEventId] = useState<string>();
  if (!run.waitsFor?.length) return null;
  return (
    <>
      <ul
        aria-label="What it waits for"
        className="mx-5 mb-2 border-l-4 border-run bg-run-wash px-4 py-1 text-sm max-sm:mx-4"
      >
        {run.waitsFor.map((wait) => (
          <li
            key={`${wait.for} ${wait.messageId ?? wait.waitEventId ?? wait.stepName}`}
            className="flex flex-wrap items-center gap-x-4 gap-y-1 py-0.5"
          >
            <span className="min-w-0 break-words">
              <Sentence wait={wait} />
            </span>
            <Countdown until={wait.until ?? wait.waitTimeoutDeadline} what={wait.for} />
            {wait.waitEventId && isEvent(run, wait) && (
              <Button icon={Bell} className="h-7!" onClick={() => setEventId(wait.waitEventId)}>
                Notify
              </Button>
            )}
          </li>
        ))}
      </ul>
      {eventId !== undefined && (
        <NotifyDialog eventId={eventId} runId={run.workflowRunId} onClose={() => setEventId(undefined)} />
      )}
    </>
  );
}

/** A webhook is waited for like an event, but told by its own URL. */
function isEvent(run: Run, { for: what, stepName, waitEventId }: Wait): boolean {
  const steps = run.steps.flatMap((group) => (group.type === "next" ? [] : group.steps));
  const isWebhook = steps.some(
    (step) => step.stepType === "WaitForWebhook" && step.stepName === stepName && step.waitEventId === waitEventId,
  );
  return what === "event" && !isWebhook;
}

function Sentence({ wait }: { wait: Wait }) {
  const { stepName, waitEventId, invokedWorkflowRunId, callUrl } = wait;
  const step = stepName ? <> at “{stepName}”</> : null;
  switch (wait.for) {
    case "event":
      return (
        <>
          Waits{step} for the event <code className="font-mono text-xs">{waitEventId ?? stepName}</code>
        </>
      );
    case "run":
      return (
        <>
          Waits{step} for the end of{" "}
          {invokedWorkflowRunId ? (
            <TextLink href={runHref(invokedWorkflowRunId)}>{invokedWorkflowRunId}</TextLink>
          ) : (
            "another run"
          )}
        </>
      );
    case "answer":
      return (
        <>
          Waits{step} for the answer of{" "}
          {callUrl ? (
            <span className="break-all">
              <Masked text={callUrl} />
            </span>
          ) : (
            "a third party"
          )}
        </>
      );
    case "endpoint":
      return <>The endpoint is at work{step}</>;
    case "sleep":
      return <>Sleeps{step}</>;
    case "retry":
      return <>An attempt failed{step}; it is tried again</>;
    case "delivery":
      return <>Waits for its delivery{step}</>;
    default:
      return <>The endpoint has answered without submitting a step: the run goes on only if somebody submits one</>;
  }
}

function Countdown({ until, what }: { until: number | undefined; what: Wait["for"] }) {
  const now = useNow();
  if (until === undefined || now === 0) return null;
  const left = until - now;
  const limit = what === "event" ? "at most " : "";
  return (
    <time dateTime={new Date(until).toISOString()} title={dateTime(until)} className="whitespace-nowrap text-soft">
      {left > 0 ? `${limit}${duration(Math.ceil(left / 1_000) * 1_000)} to go` : "it is due"}
    </time>
  );
}
