"use client";

/** The runs of all workflows, live. Those that go on can be picked and canceled. */
import { Ban } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { RunFilterBar, useRunFilters } from "@/components/runs/filters";
import { runHref } from "@/components/runs/links";
import { Button } from "@/components/ui/button";
import { Empty, Failure, SkeletonRows } from "@/components/ui/notice";
import { PageHeader } from "@/components/ui/page";
import { PickedBar } from "@/components/ui/picked";
import { RunStatus } from "@/components/ui/status";
import { type Column, Table } from "@/components/ui/table";
import { Ago, Elapsed } from "@/components/ui/time";
import { RUNS } from "@/lib/broker/runs";
import type { Run } from "@/lib/broker/types";
import { useBrokerList } from "@/lib/broker/use";
import { endpointName, plainUrl } from "@/lib/format";
import { useSelection } from "@/lib/selection";

const CancelRuns = dynamic(() => import("@/components/runs/cancel").then((it) => it.CancelRuns));

const COLUMNS: Column<Run>[] = [
  {
    title: "Status",
    width: "7rem",
    phoneWidth: "5.75rem",
    cell: ({ workflowState }) => <RunStatus state={workflowState} />,
  },
  {
    title: "Workflow",
    width: "minmax(0,1fr)",
    cell: ({ workflowUrl }) => <span title={plainUrl(workflowUrl)}>{endpointName(workflowUrl)}</span>,
  },
  { title: "Label", width: "minmax(0,8rem)", from: "md", cell: ({ label, labels }) => labels?.join(", ") ?? label },
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
    phoneWidth: "4.75rem",
    align: "end",
    cell: ({ workflowRunCreatedAt }) => <Ago at={workflowRunCreatedAt} />,
  },
];

export function Runs() {
  const filters = useRunFilters();
  // Without bodies: a list shows none, and runs may carry much.
  const { items, isKnown, error, reload, ...more } = useBrokerList(RUNS, {
    count: 100,
    trimBody: -1,
    ...filters.query,
  });
  const selection = useSelection(items, RUNS.idOf);
  const active = selection.picked.filter(({ workflowState }) => workflowState === "RUN_STARTED");
  const [canceled, setCanceled] = useState<string[]>();
  return (
    <>
      <PageHeader title="Runs">Each run of a workflow, the newest first.</PageHeader>
      <RunFilterBar filters={filters} />
      <PickedBar number={active.length} noun={["run", "runs"]} onClear={selection.clear}>
        <Button icon={Ban} kind="danger" onClick={() => setCanceled(active.map(({ workflowRunId }) => workflowRunId))}>
          Cancel
        </Button>
      </PickedBar>
      {error && <Failure error={error} retry={reload} what="The runs" />}
      {!isKnown && !error && <SkeletonRows />}
      {isKnown && items.length === 0 && <None isFiltered={filters.isSet} onClear={filters.clear} />}
      {items.length > 0 && (
        <Table
          label="Runs"
          columns={COLUMNS}
          items={items}
          idOf={RUNS.idOf}
          hrefOf={({ workflowRunId, workflowRunCreatedAt }) => runHref(workflowRunId, workflowRunCreatedAt)}
          selection={{ ...selection.table, isPickable: isActive }}
          more={more}
          noun={["run", "runs"]}
        />
      )}
      {canceled && (
        <CancelRuns
          runIds={canceled}
          onClose={() => setCanceled(undefined)}
          onEnd={() => {
            selection.clear();
            return reload();
          }}
        />
      )}
    </>
  );
}

const isActive = ({ workflowState }: Run): boolean => workflowState === "RUN_STARTED";

function None({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) {
  if (isFiltered) {
    return (
      <Empty title="No run fits the filter." action={<Button onClick={onClear}>Show all runs</Button>}>
        A label and a workflow URL must be whole; so must a run id.
      </Empty>
    );
  }
  return (
    <Empty title="No run yet.">
      <p>A run begins with a request to the endpoint of a workflow through this broker:</p>
      <pre className="mt-2 rounded-md border border-line bg-sunken p-3 font-mono text-xs break-words whitespace-pre-wrap">
        {
          'import { Client } from "@repo/orchestration/workflows";\n\nawait new Client().trigger({ url: "https://your.app/api/workflow" });'
        }
      </pre>
    </Empty>
  );
}

/** Steps that have a result or are under way; the first is the start itself. */
function stepCount({ steps }: Run): number {
  return steps
    .flatMap((group) => (group.type === "next" ? [] : group.steps))
    .filter(({ stepType }) => stepType !== "Initial").length;
}
