"use client";

import { Ban, Repeat } from "lucide-react";
import dynamic from "next/dynamic";
import { parseAsString, useQueryState } from "nuqs";
import { type ReactNode, useMemo, useState } from "react";
import { Attempts } from "@/components/messages/attempts";
import { Body, Headers } from "@/components/messages/exchange";
import { SourceFacts, To } from "@/components/messages/source";
import { Button, ButtonLink } from "@/components/ui/button";
import { Identifier } from "@/components/ui/copy";
import { Masked } from "@/components/ui/masked";
import { Empty, Failure, SkeletonBlock } from "@/components/ui/notice";
import { Fact, Facts, PageHeader, Section } from "@/components/ui/page";
import { MessageStatus } from "@/components/ui/status";
import { Moment } from "@/components/ui/time";
import { toast } from "@/components/ui/toast";
import { isOfRun } from "@/lib/broker/dead-letters";
import { draftOf } from "@/lib/broker/draft";
import { isHidden } from "@/lib/broker/hidden";
import { attemptsOf, inOrder, isOver, LOGS } from "@/lib/broker/messages";
import { ask, type BrokerError } from "@/lib/broker/transport";
import type { DeadLetterPage, LogEntry, LogPage, Message } from "@/lib/broker/types";
import { type Reading, useBroker } from "@/lib/broker/use";
import { sizeOfText, textOfBase64 } from "@/lib/bytes";
import { duration } from "@/lib/format";

const ConfirmDialog = dynamic(() => import("@/components/ui/dialog").then((module) => module.ConfirmDialog));
const PublishDialog = dynamic(() => import("@/components/messages/publish").then((module) => module.PublishDialog));

/** The log keeps so much of a body; longer ones are known only while the message waits or in the dead letters. */
const LOGGED_BYTES = 4_096;
const NOT_FOUND = 404;

export function MessagePage() {
  const [id] = useQueryState("id", parseAsString.withDefault(""));
  if (id === "") {
    return (
      <>
        <PageHeader title="Message" />
        <Empty title="The address names no message." action={<ButtonLink href="/messages">All messages</ButtonLink>}>
          It looks like /message?id=msg_…
        </Empty>
      </>
    );
  }
  return <Shown key={id} id={id} />;
}

function Shown({ id }: { id: string }) {
  const log = useBroker<LogPage & { logs?: LogEntry[] }>("/v2/logs", { messageId: id, count: 100 });
  const entries = useMemo(() => (log.data ? inOrder(LOGS.pageOf(log.data).items) : undefined), [log.data]);
  const last = entries?.at(-1);
  const state = last?.state;
  // What has ended is not asked for: the broker would not know it.
  const mayWait = entries !== undefined && (state === undefined || !isOver(state));
  const waiting = useBroker<Message>(mayWait ? `/v2/messages/${encodeURIComponent(id)}` : null, undefined, NO_RETRY);
  const letters = useBroker<DeadLetterPage>(state === "FAILED" || entries?.length === 0 ? "/v2/dlq" : null, {
    messageId: id,
  });
  const letter = letters.data?.messages.find(({ messageId }) => messageId === id);
  const message = mayWait ? waiting.data : undefined;
  const known = message ?? letter ?? last;

  // Dead letters may outlive what the log tells of them.
  const isGone = entries?.length === 0 && waiting.error?.status === NOT_FOUND && letters.data !== undefined && !letter;
  const error = log.error ?? (waiting.error?.status === NOT_FOUND ? undefined : waiting.error);
  return (
    <>
      <PageHeader
        title={<Identifier id={id} label="Copy the id" />}
        actions={
          known && (
            <Actions id={id} state={state} known={known} body={bodyOf(message, letter, entries)} reload={log.reload} />
          )
        }
      >
        {state && <MessageStatus state={state} />}
      </PageHeader>
      {error && <Failure error={error} retry={() => retry(log, waiting)} what="The message" />}
      {isGone && (
        <Empty
          title="The broker knows no such message."
          action={<ButtonLink href="/messages">All messages</ButtonLink>}
        >
          The log is kept for a while only; what happened before is gone.
        </Empty>
      )}
      {!known && !isGone && !error && (
        <div className="px-5 max-sm:px-4">
          <SkeletonBlock height="20rem" />
        </div>
      )}
      {known && (
        <>
          <Section title="Attempts">
            <Attempts
              attempts={attemptsOf(entries ?? [])}
              createdAt={known.createdAt}
              dueAt={state !== undefined && isOver(state) ? undefined : dueAt(message, last)}
            />
          </Section>
          <Section title="About it">
            <Facts>
              <Fact name="Destination">
                <code className="font-mono text-xs break-all">
                  {known.method ?? "POST"} <Masked text={known.url} />
                </code>
              </Fact>
              <SourceFacts of={known} />
              <Fact name="Dead letter">
                {letter && (
                  <To
                    href={`/dlq?kind=${isOfRun(letter) ? "runs" : "messages"}&letter=${encodeURIComponent(letter.dlqId)}`}
                  >
                    {letter.dlqId}
                  </To>
                )}
              </Fact>
              <Fact name="Created">{known.createdAt !== undefined && <Moment at={known.createdAt} />}</Fact>
              <Fact name="Not before">
                {known.notBefore !== undefined &&
                  known.createdAt !== undefined &&
                  known.notBefore > known.createdAt && <Moment at={known.notBefore} />}
              </Fact>
              <Fact name="Retries">
                {known.maxRetries !== undefined && `up to ${known.maxRetries} after the first attempt`}
              </Fact>
              <Fact name="Timeout">{timeoutOf(message, last)}</Fact>
              <Fact name="Published from">{known.callerIp}</Fact>
              <Fact name="Callback">{known.callback && <Masked text={known.callback} />}</Fact>
              <Fact name="Failure callback">{known.failureCallback && <Masked text={known.failureCallback} />}</Fact>
            </Facts>
          </Section>
          <Section title="Body">
            <KnownBody {...bodyOf(message, letter, entries)} />
          </Section>
          <Section title="Headers">
            <Headers headers={known.header} label="Headers" />
          </Section>
          {entries && entries.length > 0 && (
            <Section
              title="Log"
              actions={<ButtonLink href={`/logs?messageId=${encodeURIComponent(id)}`}>Open in the log</ButtonLink>}
            >
              <ol className="text-sm">
                {entries.map((entry) => (
                  <li key={LOGS.idOf(entry)} className="flex flex-wrap gap-x-5 border-t border-line py-1.5">
                    <span className="w-48 text-faint">
                      <Moment at={entry.time} />
                    </span>
                    <span className="w-36">
                      <MessageStatus state={entry.state} />
                    </span>
                    <span className="text-soft">
                      {entry.nextDeliveryTime !== undefined && !isOver(entry.state) && (
                        <>
                          due at <Moment at={entry.nextDeliveryTime} />
                        </>
                      )}
                      {entry.state === "CANCELED" && <Masked text={entry.error} />}
                    </span>
                  </li>
                ))}
              </ol>
            </Section>
          )}
        </>
      )}
    </>
  );
}

/** A message that has ended is not there: that is an answer, not a failure. */
const NO_RETRY = { shouldRetryOnError: (error: unknown) => (error as BrokerError).status !== NOT_FOUND };

const retry = (...readings: Reading<unknown>[]) => Promise.all(readings.map(({ reload }) => reload()));

const dueAt = (message: Message | undefined, last: LogEntry | undefined): number | undefined =>
  last?.state === "ACTIVE" ? undefined : (message?.nextDeliveryTime ?? last?.nextDeliveryTime);

/** The log tells milliseconds, a message seconds. */
function timeoutOf(message: Message | undefined, last: LogEntry | undefined): ReactNode {
  const milliseconds = message?.timeout !== undefined ? message.timeout * 1_000 : last?.timeout;
  return milliseconds ? duration(milliseconds) : undefined;
}

interface Told {
  text?: string;
  base64?: string;
  /** Whether the log cut it, so that its end is not known. */
  isCut: boolean;
}

function bodyOf(message: Message | undefined, letter: Message | undefined, entries: readonly LogEntry[] = []): Told {
  const whole = message ?? letter;
  if (whole)
    return {
      ...(whole.body === undefined ? {} : { text: whole.body }),
      ...(whole.bodyBase64 === undefined ? {} : { base64: whole.bodyBase64 }),
      isCut: false,
    };
  const body = entries.findLast((entry) => entry.body !== undefined)?.body;
  return body === undefined ? { isCut: false } : { base64: body, isCut: body.length >= (LOGGED_BYTES * 4) / 3 };
}

function KnownBody({ text, base64, isCut }: Told) {
  return (
    <Body text={text} base64={base64} label="Body" note={isCut && "Only its beginning: the log keeps no more of it."} />
  );
}

function Actions({
  id,
  state,
  known,
  body,
  reload,
}: {
  id: string;
  state: string | undefined;
  known: Message | LogEntry;
  body: Told;
  reload: () => unknown;
}) {
  const [dialog, setDialog] = useState<"cancel" | "publish">();
  const text = body.text ?? (body.base64 === undefined ? "" : textOfBase64(body.base64));
  const isOfARun = known.workflowRunId !== undefined;
  return (
    <>
      {state !== undefined && !isOver(state) && state !== "CANCEL_REQUESTED" && !isOfARun && (
        <Button kind="danger" icon={Ban} onClick={() => setDialog("cancel")}>
          Cancel
        </Button>
      )}
      {!isOfARun && (
        <Button icon={Repeat} onClick={() => setDialog("publish")}>
          Publish again
        </Button>
      )}
      {dialog === "cancel" && (
        <ConfirmDialog
          isOpen
          onClose={() => setDialog(undefined)}
          title="Cancel this message"
          action="Cancel it"
          onConfirm={async () => {
            await ask(`/v2/messages/${encodeURIComponent(id)}`, { method: "DELETE" });
            toast.done("Message canceled");
            await reload();
          }}
        >
          It won’t be delivered. An attempt that is under way may still reach its destination; nothing follows it.
        </ConfirmDialog>
      )}
      {dialog === "publish" && (
        <PublishDialog
          onClose={() => setDialog(undefined)}
          draft={draftOf(known, text)}
          note={noteOn(text, body)}
          isHidden={text === undefined || isHidden(text)}
        />
      )}
    </>
  );
}

/** What another message would lack. */
function noteOn(text: string | undefined, body: Told): string {
  const taken = "The retry delay and the timeout are the broker’s defaults.";
  if (text === undefined) return `The body is no text, or redacted: give another. ${taken}`;
  if (body.isCut) return `Only the first ${sizeOfText(text)} bytes of the body are known: add the rest. ${taken}`;
  return isHidden(text) ? `The body is redacted: give another. ${taken}` : taken;
}
