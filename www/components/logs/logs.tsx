"use client";

import dynamic from "next/dynamic";
import { usePathname, useSearchParams } from "next/navigation";
import { parseAsString, parseAsStringLiteral, useQueryState } from "nuqs";
import { useMemo } from "react";
import { AnswerStatus } from "@/components/messages/exchange";
import { FilterBar, type FilterName, useFilters } from "@/components/messages/filters";
import { ReadBack } from "@/components/messages/read-back";
import { Button, ButtonLink } from "@/components/ui/button";
import { Select } from "@/components/ui/field";
import { Empty, Failure, SkeletonRows } from "@/components/ui/notice";
import { PageHeader } from "@/components/ui/page";
import { MESSAGE_SIGNS, MessageStatus } from "@/components/ui/status";
import { type Column, Table } from "@/components/ui/table";
import { Clock } from "@/components/ui/time";
import { entryId, LOGS, ofRun } from "@/lib/broker/messages";
import { usePatience } from "@/lib/broker/patience";
import { type LogEntry, MESSAGE_STATES } from "@/lib/broker/types";
import { useBrokerList } from "@/lib/broker/use";
import { endpointName, plainUrl } from "@/lib/format";

const EntryDialog = dynamic(() => import("@/components/logs/entry").then((module) => module.EntryDialog));

const FILTERED_BY: readonly FilterName[] = [
  "messageId",
  "workflowRunId",
  "url",
  "label",
  "queueName",
  "topicName",
  "scheduleId",
  "flowControlKey",
  "fromDate",
  "toDate",
];

const STATES = [
  { value: "", label: "Any event" },
  ...MESSAGE_STATES.map((state) => ({ value: state, label: MESSAGE_SIGNS[state][2] })),
];
const PAGE = 100;

const COLUMNS: Column<LogEntry>[] = [
  { title: "Time", width: "6rem", phoneWidth: "4.25rem", cell: ({ time }) => <Clock at={time} /> },
  { title: "Event", width: "8.5rem", phoneWidth: "6.75rem", cell: ({ state }) => <MessageStatus state={state} /> },
  {
    title: "Destination",
    width: "minmax(0,1.2fr)",
    cell: ({ url, method }) => <span title={`${method ?? "POST"} ${plainUrl(url)}`}>{endpointName(url)}</span>,
  },
  { title: "Label", width: "minmax(0,0.6fr)", from: "lg", cell: ({ label, labels }) => (labels ?? [label]).join(", ") },
  {
    title: "Message",
    width: "minmax(0,1fr)",
    from: "md",
    cell: ({ messageId }) => <code className="font-mono text-xs">{messageId}</code>,
  },
  {
    title: "Run",
    width: "minmax(0,1fr)",
    from: "xl",
    cell: ({ workflowRunId }) => <code className="font-mono text-xs">{workflowRunId}</code>,
  },
  {
    title: "Try",
    width: "2.5rem",
    align: "end",
    from: "sm",
    cell: ({ retried, state }) => (state === "CREATED" ? "" : (retried ?? 0) + 1),
  },
  {
    title: "Answer",
    width: "3.5rem",
    align: "end",
    from: "sm",
    cell: ({ responseStatus }) => responseStatus && <AnswerStatus status={responseStatus} />,
  },
];

export function Logs() {
  const filters = useFilters(FILTERED_BY);
  const [state, setState] = useQueryState("state", parseAsStringLiteral(MESSAGE_STATES));
  const [opened, setOpened] = useQueryState("entry", parseAsString.withOptions({ history: "push" }));
  const path = usePathname();
  const parameters = useSearchParams();
  const log = useBrokerList(LOGS, { count: PAGE, ...filters.query, state: state ?? undefined });
  const { isKnown, error, reload } = log;
  const items = useMemo(() => ofRun(log.items, filters.query.workflowRunId), [log.items, filters.query.workflowRunId]);
  const patience = usePatience(log, LOGS.idOf, items.length);
  const isNarrowed = filters.isSet || state !== null;
  const hrefOf = (entry: LogEntry): string => {
    const next = new URLSearchParams(parameters);
    next.set("entry", entryId(entry));
    return `${path}?${next}`;
  };
  return (
    <>
      <PageHeader title="Logs">What happened to each message, the newest first.</PageHeader>
      <FilterBar filters={filters} search="Search label, URL, message or run id">
        <Select
          aria-label="Event"
          options={STATES}
          value={state ?? ""}
          onChange={(event) => void setState(MESSAGE_STATES.find((known) => known === event.target.value) ?? null)}
        />
      </FilterBar>
      {error && <Failure error={error} retry={reload} what="The log" />}
      {!isKnown && !error && <SkeletonRows />}
      {isKnown && items.length === 0 && patience.hasMore && <SkeletonRows rows={3} label="Looking further back" />}
      {isKnown &&
        items.length === 0 &&
        !patience.hasMore &&
        !patience.isTired &&
        (isNarrowed ? (
          <Empty
            title="Nothing in the log fits the filter."
            action={
              <Button
                onClick={() => {
                  filters.clear();
                  void setState(null);
                }}
              >
                Clear the filter
              </Button>
            }
          >
            The log is kept for a while only; what is older is gone.
          </Empty>
        ) : (
          <Empty title="Nothing in the log yet." action={<ButtonLink href="/messages">Messages</ButtonLink>}>
            It begins with the first message that is published.
          </Empty>
        ))}
      {items.length > 0 && (
        <Table
          label="Log"
          columns={COLUMNS}
          items={items}
          idOf={LOGS.idOf}
          hrefOf={hrefOf}
          onOpen={(entry) => void setOpened(entryId(entry))}
          more={patience}
          noun={["entry", "entries"]}
        />
      )}
      <ReadBack patience={patience} to={log.items.at(-1)?.time} />
      {opened && (
        <EntryDialog
          id={opened}
          known={items.find((entry) => entryId(entry) === opened)}
          onClose={() => void setOpened(null)}
        />
      )}
    </>
  );
}
