"use client";

/** The requests that the broker made for a run: what was sent, and what was answered at each attempt. */
import { useMemo, useState } from "react";
import { TextLink } from "@/components/runs/facts";
import { Headers } from "@/components/runs/headers";
import { nameOf } from "@/components/runs/signs";
import { Masked } from "@/components/ui/masked";
import { Failure, SkeletonRows } from "@/components/ui/notice";
import { Payload } from "@/components/ui/payload";
import { MessageStatus } from "@/components/ui/status";
import type { BrokerError } from "@/lib/broker/transport";
import type { LogEntry } from "@/lib/broker/types";
import { clock, dateTime, duration } from "@/lib/format";
import type { Row } from "@/lib/timeline/model";

export interface RequestsProps {
  events: readonly LogEntry[];
  isKnown: boolean;
  error: BrokerError | undefined;
  rows: readonly Row[];
}

interface Message {
  id: string;
  /** The newest entry. */
  last: LogEntry;
  /** The oldest first. */
  entries: LogEntry[];
}

/** So many are shown before somebody asks for the rest. */
const SHOWN = 100;

export function Requests({ events, isKnown, error, rows }: RequestsProps) {
  const [isAll, setAll] = useState(false);
  const messages = useMemo(() => messagesOf(events), [events]);
  if (error && messages.length === 0) return <Failure error={error} what="The log of its messages" />;
  if (!isKnown) return <SkeletonRows rows={5} label="Loading the requests" />;
  if (messages.length === 0) {
    return (
      <p className="px-5 pb-6 text-sm text-soft max-sm:px-4">
        The broker keeps no log of these messages: nothing was sent, or it was forgotten.
      </p>
    );
  }
  const shown = isAll ? messages : messages.slice(0, SHOWN);
  return (
    <div className="pb-6">
      <ol aria-label="Requests" className="border-t border-line">
        {shown.map((message) => (
          <li key={message.id} className="border-b border-line">
            <Request message={message} step={rows.find(({ messageIds }) => messageIds[0] === message.id)} />
          </li>
        ))}
      </ol>
      {shown.length < messages.length && (
        <button
          type="button"
          className="px-5 py-2 text-sm underline underline-offset-2 max-sm:px-4"
          onClick={() => setAll(true)}
        >
          Show all {messages.length}
        </button>
      )}
    </div>
  );
}

function Request({ message, step }: { message: Message; step: Row | undefined }) {
  const { id, last, entries } = message;
  const [isOpen, setOpen] = useState(false);
  const first = entries[0] ?? last;
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="px-5 py-2 text-sm hover:bg-sunken max-sm:px-4">
        <span className="inline-grid w-[calc(100%-1.25rem)] grid-cols-[6.5rem_minmax(0,1fr)_max-content] items-center gap-x-4 align-middle max-sm:grid-cols-[minmax(0,1fr)_max-content]">
          <span className="max-sm:order-2">
            <MessageStatus state={last.state} />
          </span>
          <span className="min-w-0 truncate">
            <span className="font-mono text-xs">
              {last.method ?? "POST"} <Masked text={last.url} />
            </span>
            {step && <span className="ml-3 text-faint">{nameOf(step)}</span>}
          </span>
          <span className="text-faint max-sm:hidden">
            {last.responseStatus ? `${last.responseStatus}, ` : ""}
            {clock(first.time)}
          </span>
        </span>
      </summary>
      {isOpen && (
        <div className="flex flex-col gap-4 border-t border-line bg-surface px-5 py-3 text-sm max-sm:px-4">
          <p>
            Message{" "}
            <TextLink href={`/message?id=${encodeURIComponent(id)}`}>
              <code className="font-mono text-xs">{id}</code>
            </TextLink>
          </p>
          <div>
            <h3 className="mb-1.5 font-medium">Body</h3>
            <Payload value={textOf(last.body)} label="The body of the request" />
            {last.header && <Headers title="Headers" headers={last.header} />}
          </div>
          <div>
            <h3 className="mb-1.5 font-medium">What happened</h3>
            <ol className="flex flex-col gap-2">
              {entries.map((entry) => (
                <li key={`${entry.time} ${entry.state}`}>
                  <p className="flex flex-wrap gap-x-4">
                    <MessageStatus state={entry.state} />
                    <span className="text-faint" title={dateTime(entry.time)}>
                      {clock(entry.time)} (+{duration(entry.time - first.time)})
                    </span>
                    {entry.responseStatus ? <span>status {entry.responseStatus}</span> : null}
                    {entry.error && (
                      <span className="text-bad">
                        <Masked text={entry.error} />
                      </span>
                    )}
                  </p>
                  {(entry.responseBody ?? entry.responseBodyBase64) && (
                    <div className="mt-1">
                      <Payload value={entry.responseBody ?? entry.responseBodyBase64} label="The answer" />
                    </div>
                  )}
                  {entry.responseHeaders && <Headers title="Headers of the answer" headers={entry.responseHeaders} />}
                </li>
              ))}
            </ol>
          </div>
        </div>
      )}
    </details>
  );
}

/** In the order of their creation. */
function messagesOf(events: readonly LogEntry[]): Message[] {
  const messages = new Map<string, Message>();
  for (const event of events.toReversed()) {
    const known = messages.get(event.messageId);
    if (!known) messages.set(event.messageId, { id: event.messageId, last: event, entries: [event] });
    else {
      known.entries.push(event);
      known.last = event;
    }
  }
  return [...messages.values()];
}

/** The text of base64; what is redacted stays what it is. */
export function textOf(body: string | undefined): string | undefined {
  if (body === undefined) return undefined;
  try {
    const bytes = Uint8Array.from(atob(body), (character) => character.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return body;
  }
}
