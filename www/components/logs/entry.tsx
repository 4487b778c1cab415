"use client";

/** One entry of the log: what happened, and what the destination answered. */
import { AnswerStatus, Body, ErrorTold, errorIn, Headers } from "@/components/messages/exchange";
import { SourceFacts, To } from "@/components/messages/source";
import { Dialog } from "@/components/ui/dialog";
import { Masked } from "@/components/ui/masked";
import { Failure, SkeletonBlock } from "@/components/ui/notice";
import { Fact, Facts } from "@/components/ui/page";
import { MessageStatus } from "@/components/ui/status";
import { Tabs } from "@/components/ui/tabs";
import { Ago } from "@/components/ui/time";
import { entryId, LOGS } from "@/lib/broker/messages";
import type { LogEntry, LogPage } from "@/lib/broker/types";
import { useBroker } from "@/lib/broker/use";
import { dateTime } from "@/lib/format";

/** `known` is absent if the list hasn't come to it: then it is looked for. */
export function EntryDialog({ id, known, onClose }: { id: string; known: LogEntry | undefined; onClose: () => void }) {
  // Ids of messages hold no dot.
  const messageId = id.slice(0, id.indexOf("."));
  const { data, error, reload } = useBroker<LogPage & { logs?: LogEntry[] }>(
    known || messageId === "" ? null : LOGS.path,
    { messageId, count: 100 },
  );
  const entry = known ?? (data && LOGS.pageOf(data).items.find((item) => entryId(item) === id));
  return (
    <Dialog isOpen isWide onClose={onClose} title={entry ? <MessageStatus state={entry.state} /> : "Entry of the log"}>
      {error && <Failure error={error} retry={reload} what="The entry" />}
      {!entry &&
        !error &&
        (data || messageId === "" ? <p>The log has no such entry any more.</p> : <SkeletonBlock height="16rem" />)}
      {entry && <Entry entry={entry} />}
    </Dialog>
  );
}

function Entry({ entry }: { entry: LogEntry }) {
  const { time, messageId, method, url, state, retried, maxRetries, responseStatus, nextDeliveryTime, error } = entry;
  const told = errorIn(entry.responseBody);
  const isAnswered =
    entry.responseHeaders !== undefined || entry.responseBody !== undefined || entry.responseBodyBase64 !== undefined;
  const tabs = [
    ...(isAnswered
      ? [
          {
            id: "answer",
            title: "Answer",
            content: <Body text={entry.responseBody} base64={entry.responseBodyBase64} label="Answer" />,
          },
          {
            id: "answer-headers",
            title: "Headers of the answer",
            content: <Headers headers={entry.responseHeaders} label="Headers of the answer" />,
          },
        ]
      : []),
    { id: "body", title: "Body", content: <Body base64={entry.body} label="Body" /> },
    { id: "headers", title: "Headers", content: <Headers headers={entry.header} label="Headers" /> },
  ];
  return (
    <div className="flex flex-col gap-4">
      <Facts>
        <Fact name="Time">
          {dateTime(time)} (<Ago at={time} />)
        </Fact>
        <Fact name="Message">
          <To href={`/message?id=${encodeURIComponent(messageId)}`}>{messageId}</To>
        </Fact>
        <Fact name="Destination">
          <code className="font-mono text-xs break-all">
            {method ?? "POST"} <Masked text={url} />
          </code>
        </Fact>
        <SourceFacts of={entry} />
        <Fact name="Try">
          {state !== "CREATED" &&
            `${(retried ?? 0) + 1}${maxRetries === undefined ? "" : ` of at most ${maxRetries + 1}`}`}
        </Fact>
        <Fact name="Answer">{responseStatus !== undefined && <AnswerStatus status={responseStatus} />}</Fact>
        <Fact name="Next delivery">{nextDeliveryTime !== undefined && dateTime(nextDeliveryTime)}</Fact>
      </Facts>
      {(error !== undefined || told) &&
        (state === "ERROR" || state === "FAILED" || state === "CANCELED" || state === "RETRY") && (
          <ErrorTold error={told?.message ?? error ?? ""} name={told?.name} stack={told?.stack} />
        )}
      <Tabs label="What was sent and answered" tabs={tabs} />
    </div>
  );
}
