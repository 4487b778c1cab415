"use client";

import dynamic from "next/dynamic";
import { usePathname, useSearchParams } from "next/navigation";
import { parseAsString, parseAsStringLiteral, useQueryState } from "nuqs";
import { useMemo, useState } from "react";
import { LetterError } from "@/components/dlq/error";
import { AnswerStatus } from "@/components/messages/exchange";
import { FilterBar, type FilterName, useFilters } from "@/components/messages/filters";
import { ReadBack } from "@/components/messages/read-back";
import { Button } from "@/components/ui/button";
import { Choice } from "@/components/ui/choice";
import { ActionMenu } from "@/components/ui/menu";
import { Empty, Failure, SkeletonRows } from "@/components/ui/notice";
import { PageHeader } from "@/components/ui/page";
import { PickedBar } from "@/components/ui/picked";
import { type Column, Table } from "@/components/ui/table";
import { Ago } from "@/components/ui/time";
import { ACTIONS, DEAD_LETTERS, isOfRun, type Kind, type LetterAction } from "@/lib/broker/dead-letters";
import { gather } from "@/lib/broker/gather";
import { usePatience } from "@/lib/broker/patience";
import type { DeadLetter } from "@/lib/broker/types";
import { useBrokerList } from "@/lib/broker/use";
import { endpointName, plainUrl } from "@/lib/format";
import { useSelection } from "@/lib/selection";

const ActDialog = dynamic(() => import("@/components/dlq/act").then((module) => module.ActDialog));
const LetterDialog = dynamic(() => import("@/components/dlq/letter").then((module) => module.LetterDialog));

const KINDS = ["messages", "runs"] as const satisfies readonly Kind[];
const KIND_TITLES = { messages: "Messages", runs: "Failed runs" };
const NOUNS: Record<Kind, [one: string, many: string]> = {
  messages: ["message", "messages"],
  runs: ["failed run", "failed runs"],
};

const FILTERED_BY: Record<Kind, readonly FilterName[]> = {
  messages: [
    "messageId",
    "url",
    "label",
    "queueName",
    "topicName",
    "scheduleId",
    "flowControlKey",
    "responseStatus",
    "fromDate",
    "toDate",
  ],
  runs: ["workflowRunId", "workflowUrl", "label", "failureFunctionState", "fromDate", "toDate"],
};

const SEARCHES: Record<Kind, string> = {
  messages: "Search label, URL or message id",
  runs: "Search label, URL or run id",
};

const PAGE = 100;
const idOf = ({ dlqId }: DeadLetter): string => dlqId;

const TIME: Column<DeadLetter> = {
  title: "Failed",
  width: "5.5rem",
  cell: ({ failedAt, createdAt }) => <Ago at={failedAt ?? createdAt} />,
};
const ANSWER: Column<DeadLetter> = {
  title: "Answer",
  width: "3.5rem",
  cell: ({ responseStatus }) => <AnswerStatus status={responseStatus} />,
};
const ERROR: Column<DeadLetter> = {
  title: "Error",
  width: "minmax(0,1.4fr)",
  from: "md",
  cell: (letter) => <LetterError letter={letter} />,
};
const LABEL: Column<DeadLetter> = {
  title: "Label",
  width: "minmax(0,0.6fr)",
  from: "lg",
  cell: ({ label, labels }) => (labels ?? [label]).join(", "),
};

const COLUMNS: Record<Kind, Column<DeadLetter>[]> = {
  messages: [
    TIME,
    {
      title: "Destination",
      width: "minmax(0,1fr)",
      cell: ({ url, method }) => <span title={`${method ?? "POST"} ${plainUrl(url)}`}>{endpointName(url)}</span>,
    },
    ANSWER,
    ERROR,
    LABEL,
    { title: "Message", width: "minmax(0,0.9fr)", from: "xl", cell: ({ messageId }) => <Id>{messageId}</Id> },
  ],
  runs: [
    TIME,
    {
      title: "Workflow",
      width: "minmax(0,1fr)",
      cell: ({ workflowUrl, url }) => (
        <span title={plainUrl(workflowUrl ?? url)}>{endpointName(workflowUrl ?? url)}</span>
      ),
    },
    ANSWER,
    ERROR,
    LABEL,
    { title: "Run", width: "minmax(0,0.9fr)", from: "xl", cell: ({ workflowRunId }) => <Id>{workflowRunId}</Id> },
  ],
};

function Id({ children }: { children: string | undefined }) {
  return <code className="font-mono text-xs">{children}</code>;
}

export function DeadLetters() {
  const [kind, setKind] = useQueryState("kind", parseAsStringLiteral(KINDS).withDefault("messages"));
  return <Letters key={kind} kind={kind} setKind={(next) => void setKind(next)} />;
}

interface Work {
  action: LetterAction;
  /** All that fit if absent. */
  letters?: readonly DeadLetter[];
}

function Letters({ kind, setKind }: { kind: Kind; setKind: (kind: Kind) => void }) {
  const filters = useFilters(FILTERED_BY[kind]);
  const [opened, setOpened] = useQueryState("letter", parseAsString.withOptions({ history: "push" }));
  const path = usePathname();
  const parameters = useSearchParams();
  const listing = DEAD_LETTERS[kind];
  const list = useBrokerList(listing, { count: PAGE, ...filters.query });
  const letters = useMemo(
    () => (kind === "runs" ? list.items : list.items.filter((letter) => !isOfRun(letter))),
    [list.items, kind],
  );
  const patience = usePatience(list, idOf, letters.length);
  const selection = useSelection(letters, idOf);
  const [work, setWork] = useState<Work>();
  const actions = ACTIONS[kind];
  const hrefOf = (letter: DeadLetter): string => {
    const next = new URLSearchParams(parameters);
    next.set("letter", letter.dlqId);
    return `${path}?${next}`;
  };
  return (
    <>
      <PageHeader
        title="Dead letters"
        actions={
          <ActionMenu
            label={filters.isSet ? "Act on all that fit" : "Act on all"}
            isText
            entries={actions.map((action) => ({
              label: `${action.verb}: ${filters.isSet ? "all that fit" : "all"}…`,
              isDangerous: action.isDangerous,
              onSelect: () => setWork({ action }),
            }))}
          />
        }
      >
        What was given up: messages after their last try, and runs that failed.
      </PageHeader>
      <FilterBar filters={filters} search={SEARCHES[kind]}>
        <Choice
          label="Kind"
          options={KINDS.map((value) => ({ value, label: KIND_TITLES[value] }))}
          value={kind}
          onChange={setKind}
        />
      </FilterBar>
      <PickedBar number={selection.picked.length} noun={NOUNS[kind]} onClear={selection.clear}>
        {actions.map((action) => (
          <Button
            key={action.id}
            kind={action.isDangerous ? "danger" : "plain"}
            onClick={() => setWork({ action, letters: selection.picked })}
          >
            {action.verb}
          </Button>
        ))}
      </PickedBar>
      {list.error && <Failure error={list.error} retry={list.reload} what="The dead letters" />}
      {!list.isKnown && !list.error && <SkeletonRows />}
      {list.isKnown && letters.length === 0 && patience.hasMore && (
        <SkeletonRows rows={3} label="Looking further back" />
      )}
      {list.isKnown && letters.length === 0 && !patience.hasMore && (
        <NoLetter kind={kind} filters={filters} setKind={setKind} isTired={patience.isTired} />
      )}
      {letters.length > 0 && (
        <Table
          label={`Dead letters: ${KIND_TITLES[kind].toLowerCase()}`}
          columns={COLUMNS[kind]}
          items={letters}
          idOf={idOf}
          hrefOf={hrefOf}
          onOpen={(letter) => void setOpened(letter.dlqId)}
          selection={selection.table}
          more={patience}
          noun={NOUNS[kind]}
        />
      )}
      <ReadBack patience={patience} to={list.items.at(-1)?.failedAt} />
      {opened && (
        <LetterDialog
          id={opened}
          kind={kind}
          known={letters.find(({ dlqId }) => dlqId === opened)}
          onClose={() => void setOpened(null)}
          onAct={(action, letter) => {
            void setOpened(null);
            setWork({ action, letters: [letter] });
          }}
        />
      )}
      {work && (
        <ActDialog
          action={work.action}
          noun={NOUNS[kind]}
          kind={kind}
          items={
            work.letters ??
            ((signal, tell) =>
              gather(
                listing,
                { count: PAGE, ...filters.query },
                { signal, tell, keep: (letter) => kind === "runs" || !isOfRun(letter) },
              ))
          }
          onClose={() => setWork(undefined)}
          onEnd={(done) => {
            selection.clear();
            // They are gone, wherever in the list they stood. A callback that is sent again leaves its letter.
            if (work.action.id !== "callback") list.forget(done.map(idOf));
            return list.reload();
          }}
        />
      )}
    </>
  );
}

function NoLetter({
  kind,
  filters,
  setKind,
  isTired,
}: {
  kind: Kind;
  filters: ReturnType<typeof useFilters>;
  setKind: (kind: Kind) => void;
  isTired: boolean;
}) {
  if (isTired) return <Empty title="No message so far." />;
  const other = kind === "messages" ? "runs" : "messages";
  return (
    <Empty
      title={
        filters.isSet
          ? "No dead letter fits the filter."
          : kind === "messages"
            ? "No message was given up."
            : "No run has failed."
      }
      action={
        <>
          {filters.isSet && <Button onClick={filters.clear}>Clear the filter</Button>}
          <Button onClick={() => setKind(other)}>{KIND_TITLES[other]}</Button>
        </>
      }
    >
      {kind === "messages"
        ? "A message comes here when its last retry failed, and stays until it is retried, deleted or too old."
        : "A run comes here when a step failed for good, and stays until it is resumed, restarted, deleted or too old."}
    </Empty>
  );
}
