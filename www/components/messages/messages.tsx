"use client";

import { Ban, Send } from "lucide-react";
import dynamic from "next/dynamic";
import { parseAsBoolean, parseAsStringLiteral, useQueryStates } from "nuqs";
import { useMemo, useState } from "react";
import { NoMessage } from "@/components/messages/empty";
import { AnswerStatus } from "@/components/messages/exchange";
import { FilterBar, type FilterName, useFilters } from "@/components/messages/filters";
import { ReadBack } from "@/components/messages/read-back";
import { Button } from "@/components/ui/button";
import { Select } from "@/components/ui/field";
import { Empty, Failure, SkeletonRows } from "@/components/ui/notice";
import { PageHeader } from "@/components/ui/page";
import { PickedBar } from "@/components/ui/picked";
import { MessageStatus } from "@/components/ui/status";
import { type Column, Table } from "@/components/ui/table";
import { Ago, Clock } from "@/components/ui/time";
import { isCancelable, LOGS, type MessageSummary, messagesOf, ofRun } from "@/lib/broker/messages";
import { usePatience } from "@/lib/broker/patience";
import { useBrokerList } from "@/lib/broker/use";
import { endpointName, plainUrl } from "@/lib/format";
import { useSelection } from "@/lib/selection";

const CancelDialog = dynamic(() => import("@/components/messages/cancel").then((module) => module.CancelDialog));
const PublishDialog = dynamic(() => import("@/components/messages/publish").then((module) => module.PublishDialog));

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

/** States of messages, each with those of its newest entry. */
const STATES = {
  WAITING: ["Waiting", ["CREATED", "RETRY", "ERROR"]],
  ACTIVE: ["Under way", ["ACTIVE", "IN_PROGRESS"]],
  DELIVERED: ["Delivered", ["DELIVERED"]],
  FAILED: ["Failed", ["FAILED"]],
  CANCELED: ["Canceled", ["CANCELED", "CANCELLED", "CANCEL_REQUESTED"]],
} as const satisfies Record<string, readonly [string, readonly string[]]>;
type State = keyof typeof STATES;
const STATE_NAMES = Object.keys(STATES) as State[];
const OPTIONS = [
  { value: "", label: "Any status" },
  ...STATE_NAMES.map((state) => ({ value: state, label: STATES[state][0] })),
];

/** An entry of these is a message's last, so the broker can look for them. */
const LAST: ReadonlySet<State> = new Set(["DELIVERED", "FAILED"]);

const PAGE = 100;
const idOf = ({ messageId }: MessageSummary): string => messageId;
const hrefOf = ({ messageId }: MessageSummary): string => `/message?id=${encodeURIComponent(messageId)}`;

const COLUMNS: Column<MessageSummary>[] = [
  { title: "Status", width: "7rem", phoneWidth: "5.75rem", cell: ({ state }) => <MessageStatus state={state} /> },
  {
    title: "Destination",
    width: "minmax(0,1.5fr)",
    cell: ({ last }) => <span title={`${last.method ?? "POST"} ${plainUrl(last.url)}`}>{endpointName(last.url)}</span>,
  },
  { title: "Through", width: "minmax(0,1.2fr)", from: "md", cell: ({ last }) => throughOf(last) },
  {
    title: "Label",
    width: "minmax(0,0.8fr)",
    from: "lg",
    cell: ({ last }) => (last.labels ?? [last.label]).join(", "),
  },
  {
    title: "Tries",
    width: "3rem",
    align: "end",
    from: "sm",
    cell: ({ tries, last }) => triesOf(tries, last.maxRetries),
  },
  {
    title: "Answer",
    width: "3.5rem",
    align: "end",
    from: "md",
    cell: ({ responseStatus }) => responseStatus && <AnswerStatus status={responseStatus} />,
  },
  {
    title: "Due",
    width: "5.5rem",
    align: "end",
    from: "sm",
    cell: ({ nextDeliveryTime }) => nextDeliveryTime && <Ago at={nextDeliveryTime} />,
  },
  {
    title: "Created",
    width: "6rem",
    align: "end",
    from: "xl",
    cell: ({ createdAt }) => createdAt && <Clock at={createdAt} />,
  },
  {
    title: "Changed",
    width: "5.5rem",
    phoneWidth: "4.75rem",
    align: "end",
    cell: ({ last }) => <Ago at={last.time} />,
  },
];

export function Messages() {
  const filters = useFilters(FILTERED_BY);
  const [{ state, plain }, setView] = useQueryStates({
    state: parseAsStringLiteral(STATE_NAMES),
    plain: parseAsBoolean.withDefault(false),
  });
  const query = { ...filters.query, ...(state && LAST.has(state) ? { state } : {}) };
  const log = useBrokerList(LOGS, { count: PAGE, ...query });
  const runId = filters.query.workflowRunId;
  const messages = useMemo(() => {
    const states: readonly string[] | undefined = state ? STATES[state][1] : undefined;
    return messagesOf(ofRun(log.items, runId)).filter(
      (message) => (!states || states.includes(message.state)) && (!plain || message.last.workflowRunId === undefined),
    );
  }, [log.items, state, plain, runId]);
  const patience = usePatience(log, LOGS.idOf, messages.length);
  const selection = useSelection(messages, idOf);
  const [dialog, setDialog] = useState<"publish" | "cancel-picked" | "cancel-all">();
  const cancelable = selection.picked.filter(isCancelable);
  const isNarrowed = filters.isSet || state !== null || plain;
  return (
    <>
      <PageHeader
        title="Messages"
        actions={
          <>
            <Button icon={Ban} onClick={() => setDialog("cancel-all")}>
              {isNarrowed ? "Cancel what fits…" : "Cancel all…"}
            </Button>
            <Button kind="primary" icon={Send} onClick={() => setDialog("publish")}>
              Publish a message
            </Button>
          </>
        }
      >
        What the log tells of each message; those that changed last come first.
      </PageHeader>
      <FilterBar filters={filters} search="Search label, URL, message or run id">
        <Select
          aria-label="Status"
          options={OPTIONS}
          value={state ?? ""}
          onChange={(event) => void setView({ state: (event.target.value as State) || null })}
        />
        <label className="inline-flex items-center gap-2 text-sm">
          <input
            type="checkbox"
            className="size-4 accent-ink"
            checked={plain}
            onChange={(event) => void setView({ plain: event.target.checked || null })}
          />
          Without those of runs
        </label>
      </FilterBar>
      <PickedBar number={cancelable.length} noun={["message", "messages"]} onClear={selection.clear}>
        <Button kind="danger" icon={Ban} onClick={() => setDialog("cancel-picked")}>
          Cancel
        </Button>
      </PickedBar>
      {log.error && <Failure error={log.error} retry={log.reload} what="The messages" />}
      {!log.isKnown && !log.error && <SkeletonRows />}
      {log.isKnown && messages.length === 0 && patience.hasMore && (
        <SkeletonRows rows={3} label="Looking further back" />
      )}
      {log.isKnown && messages.length === 0 && !patience.hasMore && !patience.isTired && (
        <NoMessage isNarrowed={isNarrowed} onPublish={() => setDialog("publish")} />
      )}
      {messages.length === 0 && patience.isTired && <Empty title="No message fits so far." />}
      {messages.length > 0 && (
        <Table
          label="Messages"
          columns={COLUMNS}
          items={messages}
          idOf={idOf}
          hrefOf={hrefOf}
          selection={{ ...selection.table, isPickable: isCancelable }}
          more={patience}
          noun={["message", "messages"]}
        />
      )}
      <ReadBack patience={patience} to={log.items.at(-1)?.time} />
      {dialog === "publish" && <PublishDialog onClose={() => setDialog(undefined)} />}
      {dialog === "cancel-picked" && (
        <CancelDialog
          messages={cancelable}
          onClose={() => setDialog(undefined)}
          onEnd={() => {
            selection.clear();
            return log.reload();
          }}
        />
      )}
      {dialog === "cancel-all" && (
        <CancelDialog
          query={query}
          fits={({ state: its }) => !state || (STATES[state][1] as readonly string[]).includes(its)}
          onClose={() => setDialog(undefined)}
          onEnd={log.reload}
        />
      )}
    </>
  );
}

/** What a message came through on its way. */
function throughOf({
  queueName,
  topicName,
  scheduleId,
  flowControlKey,
  workflowRunId,
}: MessageSummary["last"]): string {
  return [
    queueName && `queue ${queueName}`,
    topicName && `group ${topicName}`,
    scheduleId && `schedule ${scheduleId}`,
    flowControlKey && `key ${flowControlKey}`,
    workflowRunId && `run ${workflowRunId}`,
  ]
    .filter(Boolean)
    .join(", ");
}

const triesOf = (tries: number, maxRetries: number | undefined): string =>
  maxRetries === undefined ? String(tries) : `${tries} / ${maxRetries + 1}`;
