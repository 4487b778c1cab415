"use client";

import { parseAsString, useQueryStates } from "nuqs";
import { SearchField, Select } from "@/components/ui/field";
import { Empty, Failure, SkeletonRows } from "@/components/ui/notice";
import { PageHeader, Toolbar } from "@/components/ui/page";
import { RUN_SIGNS, RunStatus } from "@/components/ui/status";
import { type Column, Table } from "@/components/ui/table";
import { Ago, Elapsed } from "@/components/ui/time";
import { RUNS } from "@/lib/broker/runs";
import type { Run, RunState } from "@/lib/broker/types";
import { useBrokerList } from "@/lib/broker/use";
import { endpointName } from "@/lib/format";

const COLUMNS: Column<Run>[] = [
  { title: "Status", width: "7rem", cell: ({ workflowState }) => <RunStatus state={workflowState} /> },
  {
    title: "Workflow",
    width: "minmax(0,1fr)",
    cell: ({ workflowUrl }) => <span title={workflowUrl}>{endpointName(workflowUrl)}</span>,
  },
  { title: "Label", width: "minmax(0,8rem)", from: "md", cell: ({ label }) => label },
  {
    title: "Run",
    width: "minmax(0,14rem)",
    from: "lg",
    cell: ({ workflowRunId }) => <code className="font-mono text-xs">{workflowRunId}</code>,
  },
  { title: "Steps", width: "3.5rem", align: "end", from: "sm", cell: stepCount },
  {
    title: "Duration",
    width: "6rem",
    align: "end",
    from: "sm",
    cell: ({ workflowRunCreatedAt, workflowRunCompletedAt }) => (
      <Elapsed from={workflowRunCreatedAt} to={workflowRunCompletedAt} />
    ),
  },
  {
    title: "Started",
    width: "6rem",
    align: "end",
    cell: ({ workflowRunCreatedAt }) => <Ago at={workflowRunCreatedAt} />,
  },
];

const STATES = [
  { value: "", label: "Any status" },
  ...(Object.keys(RUN_SIGNS) as RunState[]).map((state) => ({ value: state, label: RUN_SIGNS[state][2] })),
];

export function Runs() {
  const [{ q, state }, setFilters] = useQueryStates({
    q: parseAsString.withDefault(""),
    state: parseAsString.withDefault(""),
  });
  const search = q.startsWith("wfr_") ? { workflowRunId: q } : { label: q };
  const { items, isKnown, error, reload, ...more } = useBrokerList(RUNS, { count: 100, state, ...search });
  return (
    <>
      <PageHeader title="Runs">Each run of a workflow, the newest first.</PageHeader>
      <Toolbar>
        <SearchField
          label="Search label or run id"
          value={q}
          onChange={(text) => void setFilters({ q: text || null })}
        />
        <Select
          aria-label="Status"
          options={STATES}
          value={state}
          onChange={(event) => void setFilters({ state: event.target.value || null })}
        />
      </Toolbar>
      {error && <Failure error={error} retry={reload} what="The runs" />}
      {!isKnown && !error && <SkeletonRows />}
      {isKnown && items.length === 0 && <Empty title={q || state ? "No run fits the filter." : "No run yet."} />}
      {items.length > 0 && (
        <Table
          label="Runs"
          columns={COLUMNS}
          items={items}
          idOf={RUNS.idOf}
          hrefOf={({ workflowRunId }) => `/run?id=${encodeURIComponent(workflowRunId)}`}
          more={more}
          noun={["run", "runs"]}
        />
      )}
    </>
  );
}

/** Steps that have a result or are under way; the first is the start itself. */
function stepCount({ steps }: Run): number {
  return steps
    .flatMap((group) => (group.type === "next" ? [] : group.steps))
    .filter(({ stepType }) => stepType !== "Initial").length;
}
