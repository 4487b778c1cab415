"use client";

/** All that is known about one step of a run. */
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { TextLink } from "@/components/runs/facts";
import { failureIn } from "@/components/runs/failure";
import { Headers } from "@/components/runs/headers";
import { runHref } from "@/components/runs/links";
import { textOf } from "@/components/runs/requests";
import { KINDS, nameOf, STATES, tookOf } from "@/components/runs/signs";
import { IconButton } from "@/components/ui/button";
import { Identifier } from "@/components/ui/copy";
import { Masked } from "@/components/ui/masked";
import { Fact, Facts } from "@/components/ui/page";
import { Payload } from "@/components/ui/payload";
import { Status } from "@/components/ui/status";
import { useNow } from "@/components/ui/time";
import type { HeaderLists, LogEntry, Run, StepLog } from "@/lib/broker/types";
import { clock, dateTime, duration } from "@/lib/format";
import type { Row } from "@/lib/timeline/model";

export interface StepDetailsProps {
  row: Row;
  run: Run;
  events: readonly LogEntry[];
  onClose: () => void;
}

export function StepDetails({ row, run, events, onClose }: StepDetailsProps) {
  const [, kind] = KINDS[row.kind];
  const [tone, shape, word] = STATES[row.state];
  const { step, until } = row;
  const time = useNow();
  const took = tookOf(row, Math.max(time, row.startedAt ?? 0));
  return (
    <div className="pb-6">
      <header className="sticky top-0 z-1 flex items-start justify-between gap-3 border-b border-line bg-paper py-2 pr-2 pl-5 max-sm:pl-4">
        <div className="min-w-0 pt-1">
          <h2 className="font-semibold break-words">{nameOf(row)}</h2>
          <p className="flex flex-wrap gap-x-3 text-sm text-soft">
            <Status tone={tone} shape={shape}>
              {word}
            </Status>
            {kind}
            {row.branch && `, in parallel with ${row.branch.size - 1} more`}
          </p>
        </div>
        <IconButton icon={X} label="Close the step" onClick={onClose} />
      </header>
      <div className="flex flex-col gap-5 px-5 pt-3 max-sm:px-4">
        <Facts>
          <Fact name="Started">
            {row.startedAt === undefined ? null : <Moment at={row.startedAt} from={run.workflowRunCreatedAt} />}
          </Fact>
          <Fact name="Ended">
            {row.endedAt === undefined ? null : <Moment at={row.endedAt} from={run.workflowRunCreatedAt} />}
          </Fact>
          <Fact name={row.endedAt === undefined ? "For" : "Took"}>{took === undefined ? null : duration(took)}</Fact>
          <Fact name="Goes on">
            {until === undefined || until <= time ? null : `${dateTime(until)}, in ${duration(until - time)}`}
          </Fact>
          <Fact name="Attempts">{row.isCarried ? null : row.tries}</Fact>
          <Fact name="Done">
            {row.isCarried && step ? `${dateTime(step.createdAt)}, by the run that this one resumed` : null}
          </Fact>
          <Fact name={row.messageIds.length > 1 ? "Messages" : "Message"}>
            <span className="flex flex-col">
              {row.messageIds.map((id) => (
                <TextLink key={id} href={`/message?id=${encodeURIComponent(id)}`}>
                  <code className="font-mono text-xs">{id}</code>
                </TextLink>
              ))}
            </span>
          </Fact>
        </Facts>
        {step && (
          <OfKind
            step={step}
            sent={events.find(({ messageId, url }) => messageId === row.messageIds[0] && url === step.callUrl)}
          />
        )}
        {step && row.state === "done" && row.kind !== "sleep" && row.kind !== "call" && (
          <Part title={row.kind === "wait" || row.kind === "webhook" ? "What came" : "Result"}>
            <Payload value={step.out} label="The result" />
          </Part>
        )}
        {row.kind === "failure" && <FailureFunction run={run} />}
        <Errors row={row} events={events} />
        <Tries row={row} run={run} />
        {step && Object.keys(step.headers ?? {}).length > 0 && <Headers title="Headers" headers={step.headers} />}
        <details className="text-sm">
          <summary>Raw log of the step</summary>
          <div className="pt-2">
            <Payload value={step ?? row.next ?? run.failureFunction} label="The raw log of the step" />
          </div>
        </details>
      </div>
    </div>
  );
}

function Moment({ at, from }: { at: number; from: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={dateTime(at)}>
      {clock(at)} <span className="text-faint">(+{duration(at - from)})</span>
    </time>
  );
}

export function Part({ title, children }: { title: ReactNode; children: ReactNode }) {
  return (
    <section>
      <h3 className="mb-1.5 text-sm font-medium">{title}</h3>
      {children}
    </section>
  );
}

/** What only some kinds of steps have. */
function OfKind({ step, sent }: { step: StepLog; sent: LogEntry | undefined }) {
  if (step.callUrl !== undefined) return <Call step={step} sent={sent} />;
  if (step.invokedWorkflowRunId !== undefined) {
    return (
      <>
        <Facts>
          <Fact name="Run">
            <TextLink href={runHref(step.invokedWorkflowRunId, step.invokedWorkflowCreatedAt)}>
              {step.invokedWorkflowRunId}
            </TextLink>
          </Fact>
          <Fact name="Workflow">
            <span className="break-all">
              <Masked text={step.invokedWorkflowUrl} />
            </span>
          </Fact>
        </Facts>
        {step.invokedWorkflowRunBody !== undefined && (
          <Part title="Its input">
            <Payload value={step.invokedWorkflowRunBody} label="The input of the invoked run" />
          </Part>
        )}
        {step.invokedWorkflowRunHeaders && <Headers title="Its headers" headers={step.invokedWorkflowRunHeaders} />}
      </>
    );
  }
  if (step.waitEventId !== undefined) {
    return (
      <Facts>
        <Fact name="Event">
          <Identifier id={step.waitEventId} label="Copy the event id" />
        </Fact>
        <Fact name="Timeout">{step.waitTimeoutDeadline === undefined ? null : dateTime(step.waitTimeoutDeadline)}</Fact>
        <Fact name="Outcome">
          {step.waitTimeout ? "nobody notified it in time" : step.callType === "step" ? "notified" : undefined}
        </Fact>
      </Facts>
    );
  }
  if (step.sleepFor !== undefined) {
    return (
      <Facts>
        <Fact name="Sleeps for">{sleepOf(step.sleepFor)}</Fact>
      </Facts>
    );
  }
  if (step.sleepUntil !== undefined) {
    return (
      <Facts>
        <Fact name="Sleeps until">{dateTime(Number(step.sleepUntil) * 1_000)}</Fact>
      </Facts>
    );
  }
  return null;
}

/** Seconds, or a duration as it was written. */
const sleepOf = (value: number | string): string => (typeof value === "number" ? duration(value * 1_000) : value);

/** The log of its message tells the request too. */
function Call({ step, sent }: { step: StepLog; sent: LogEntry | undefined }) {
  const answer = answerOf(step.out);
  const status = step.callResponseStatus ?? answer?.status;
  const headers = step.callResponseHeaders ?? answer?.header;
  const body = step.callResponseBody ?? answer?.body ?? (answer ? undefined : step.out);
  const asked = step.callBody ?? textOf(sent?.body);
  const askedWith = step.callHeaders ?? sent?.header;
  return (
    <>
      <Part title="Request">
        <p className="mb-1.5 font-mono text-xs break-all">
          {step.callMethod ?? "GET"} <Masked text={step.callUrl} />
        </p>
        {asked !== undefined && asked !== "" && <Payload value={asked} label="The body of the request" />}
        {askedWith && <Headers title="Headers" headers={askedWith} />}
      </Part>
      {(status !== undefined || body !== undefined) && (
        <Part title={status === undefined ? "Answer" : `Answer ${status}`}>
          <Payload value={body} label="The body of the answer" />
          {headers && <Headers title="Headers" headers={headers} />}
        </Part>
      )}
    </>
  );
}

interface CallAnswer {
  status?: number;
  body?: unknown;
  header?: HeaderLists;
}

/** The result of a call is the third party's answer. */
function answerOf(out: unknown): CallAnswer | undefined {
  try {
    const value: unknown = typeof out === "string" ? JSON.parse(out) : out;
    return typeof value === "object" && value !== null && "status" in value ? (value as CallAnswer) : undefined;
  } catch {
    return undefined;
  }
}

function FailureFunction({ run }: { run: Run }) {
  const told = run.failureFunction;
  if (!told) return null;
  const isMissing = Object.keys(told.responseHeaders ?? {}).some(
    (name) => name.toLowerCase() === "upstash-workflow-failure-callback-notfound",
  );
  return (
    <>
      <Facts>
        <Fact name="Told to">
          <span className="break-all">
            <Masked text={told.url} />
          </span>
        </Fact>
        <Fact name="Outcome">{isMissing ? "the workflow has no failure function" : null}</Fact>
      </Facts>
      {told.responseBody !== undefined && (
        <Part title={`Response ${told.responseStatus ?? ""}`}>
          <Payload value={told.responseBody} label="The response of the failure function" />
          {told.responseHeaders && <Headers title="Headers" headers={told.responseHeaders} />}
        </Part>
      )}
    </>
  );
}

interface Failed {
  time: number;
  status: number;
  error: string;
  body: string | undefined;
  headers: HeaderLists | undefined;
}

/** The attempts that failed: as the step tells them, else as the log of its messages does. */
function errorsOf(row: Row, events: readonly LogEntry[]): Failed[] {
  const told = row.next?.errors ?? (row.step as { errors?: Failed[] } | undefined)?.errors ?? [];
  if (told.length > 0)
    return told.map(({ time, status, error, body, headers }) => ({ time, status, error, body, headers }));
  const first = row.messageIds[0];
  const upTo = row.endedAt ?? Number.POSITIVE_INFINITY;
  return events
    .filter(({ messageId, state, time }) => messageId === first && state === "ERROR" && time <= upTo)
    .toReversed()
    .map((event) => ({
      time: event.time,
      status: event.responseStatus ?? 0,
      error: event.error ?? "",
      body: event.responseBody,
      headers: event.responseHeaders,
    }));
}

function Errors({ row, events }: { row: Row; events: readonly LogEntry[] }) {
  const errors = errorsOf(row, events);
  if (errors.length === 0) return null;
  return (
    <Part title={errors.length === 1 ? "Error" : "Errors"}>
      <ol className="flex flex-col gap-3">
        {errors.map((error, index) => (
          <li key={error.time} className="border-l-4 border-bad pl-3 text-sm">
            <Attempt error={error} number={index + 1} />
          </li>
        ))}
      </ol>
    </Part>
  );
}

function Attempt({ error: { time, status, error, body, headers }, number }: { error: Failed; number: number }) {
  const { error: name, message, stack } = failureIn(body);
  return (
    <>
      <p className="flex flex-wrap justify-between gap-x-4 text-faint">
        <span>
          Attempt {number}
          {status > 0 && `, status ${status}`}
        </span>
        <span title={dateTime(time)}>{clock(time)}</span>
      </p>
      <p className="font-medium break-words">
        <Masked text={message ? [name, message].filter(Boolean).join(": ") : error} />
      </p>
      {stack && (
        <pre
          // biome-ignore lint/a11y/noNoninteractiveTabindex: who scrolls by keyboard
          tabIndex={0}
          role="region"
          aria-label={`The stack of attempt ${number}`}
          className="mt-1 max-h-64 overflow-auto rounded-md border border-line bg-sunken p-2 font-mono text-xs leading-5 whitespace-pre"
        >
          <Masked text={stack} />
        </pre>
      )}
      {body && !stack && (
        <div className="mt-1">
          <Payload value={body} label={`The answer to attempt ${number}`} />
        </div>
      )}
      {headers && <Headers title="Headers of the answer" headers={headers} />}
    </>
  );
}

/** When each attempt began and ended, where that is more than the step itself tells. */
function Tries({ row, run }: { row: Row; run: Run }) {
  if (row.attempts.length < 2) return null;
  return (
    <Part title="Attempts">
      <table className="w-full text-sm">
        <thead className="text-left text-xs text-faint">
          <tr className="border-b border-line">
            <th className="py-1 font-medium">Began</th>
            <th className="font-medium">Outcome</th>
            <th className="text-right font-medium">Took</th>
          </tr>
        </thead>
        <tbody>
          {row.attempts.map(({ from, to, outcome, status }) => (
            <tr key={from} className="border-b border-line">
              <td className="py-1" title={dateTime(from)}>
                +{duration(from - run.workflowRunCreatedAt)}
              </td>
              <td className={outcome === "failed" ? "text-bad" : undefined}>
                {outcome === "open" ? "under way" : outcome}
                {status ? ` (${status})` : ""}
              </td>
              <td className="text-right">{to === undefined ? "" : duration(to - from)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Part>
  );
}
