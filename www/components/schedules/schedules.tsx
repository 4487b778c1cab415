"use client";

import { Inbox, Pause, Pencil, Play, Plus, ScrollText, Send, Trash2 } from "lucide-react";
import dynamic from "next/dynamic";
import { parseAsString, useQueryStates } from "nuqs";
import { useState } from "react";
import type { BulkAction } from "@/components/schedules/bulk-dialog";
import { CronSentence } from "@/components/schedules/cron";
import { LastOutcome } from "@/components/schedules/outcome";
import { Button } from "@/components/ui/button";
import { SearchField, Select } from "@/components/ui/field";
import { ActionMenu } from "@/components/ui/menu";
import { Empty, Failure, SkeletonRows } from "@/components/ui/notice";
import { PageHeader, Toolbar } from "@/components/ui/page";
import { PickedBar } from "@/components/ui/picked";
import { Status } from "@/components/ui/status";
import { type Column, Table } from "@/components/ui/table";
import { Ago } from "@/components/ui/time";
import { toast } from "@/components/ui/toast";
import { useBrokerAll } from "@/lib/broker/use";
import { endpointName, plainUrl } from "@/lib/format";
import { logOf, messagesOf, scheduleAt } from "@/lib/places";
import { lastOutcome, type ShownSchedule, setPaused } from "@/lib/schedules";
import { useSelection } from "@/lib/selection";

const ScheduleDialog = dynamic(() => import("@/components/schedules/schedule-dialog").then((it) => it.ScheduleDialog));
const EditDialog = dynamic(() => import("@/components/schedules/edit-dialog").then((it) => it.EditDialog));
const DeleteDialog = dynamic(() => import("@/components/schedules/confirm-dialogs").then((it) => it.DeleteDialog));
const RunNowDialog = dynamic(() => import("@/components/schedules/confirm-dialogs").then((it) => it.RunNowDialog));
const ScheduleBulkDialog = dynamic(() =>
  import("@/components/schedules/bulk-dialog").then((it) => it.ScheduleBulkDialog),
);

const COLUMNS: Column<ShownSchedule>[] = [
  {
    title: "Schedule",
    width: "minmax(0,1.2fr)",
    cell: ({ scheduleId }) => <span title={scheduleId}>{scheduleId}</span>,
  },
  { title: "Status", width: "5.5rem", from: "sm", cell: ({ isPaused }) => <ScheduleStatus isPaused={isPaused} /> },
  { title: "Cron", width: "minmax(0,1.6fr)", from: "md", cell: ({ cron }) => <CronSentence cron={cron} /> },
  {
    title: "Destination",
    width: "minmax(0,1fr)",
    from: "lg",
    cell: ({ destination }) => <span title={plainUrl(destination)}>{endpointName(destination)}</span>,
  },
  { title: "Last", width: "7rem", from: "sm", cell: (schedule) => <LastOutcome schedule={schedule} /> },
  {
    title: "Next",
    width: "5.5rem",
    align: "end",
    cell: ({ nextScheduleTime, isPaused }) =>
      isPaused ? (
        // Where there is no room for the status.
        <span className="text-warn sm:hidden">Paused</span>
      ) : (
        nextScheduleTime !== undefined && <Ago at={nextScheduleTime} />
      ),
  },
];

const STATES = [
  { value: "", label: "Any status" },
  { value: "active", label: "Active" },
  { value: "paused", label: "Paused" },
];

const OUTCOMES = [
  { value: "", label: "Any last outcome" },
  { value: "succeeded", label: "Last succeeded" },
  { value: "failed", label: "Last failed" },
  { value: "never", label: "Never ran" },
];

const idOf = ({ scheduleId }: ShownSchedule): string => scheduleId;

type Open =
  | { dialog: "create" }
  | { dialog: "edit" | "delete" | "run"; schedule: ShownSchedule }
  | { dialog: "bulk"; action: BulkAction; schedules: ShownSchedule[] };

const text = parseAsString.withDefault("");

/** A schedule that is looked at stands in the URL: `?id=`. */
export function Schedules() {
  const [{ q, state, last, id }, setState] = useQueryStates({ q: text, state: text, last: text, id: parseAsString });
  const { data, error, reload } = useBrokerAll<ShownSchedule>("/v2/schedules");
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  const schedules = fitting(data ?? [], { q, state, last });
  const { picked, clear, table } = useSelection(schedules, idOf);
  const shown = id === null ? undefined : data?.find(({ scheduleId }) => scheduleId === id);
  const isFiltered = Boolean(q || state || last);

  const pause = async ({ scheduleId }: ShownSchedule, isPaused: boolean) => {
    try {
      await setPaused(scheduleId, isPaused);
      toast.done(isPaused ? "Schedule paused" : "Schedule resumed", scheduleId);
    } catch (reason) {
      toast.failed(isPaused ? "The schedule was not paused" : "The schedule was not resumed", reason);
    }
    await reload();
  };
  const all = (action: BulkAction) => setOpen({ dialog: "bulk", action, schedules: picked });

  const dialogs = (
    <>
      {(open?.dialog === "create" || open?.dialog === "edit") && (
        <EditDialog
          schedule={open.dialog === "edit" ? open.schedule : undefined}
          ids={data?.map(idOf) ?? []}
          onClose={close}
          onDone={reload}
        />
      )}
      {open?.dialog === "delete" && <DeleteDialog schedule={open.schedule} onClose={close} onDone={reload} />}
      {open?.dialog === "run" && <RunNowDialog schedule={open.schedule} onClose={close} onDone={reload} />}
    </>
  );
  return (
    <>
      <PageHeader
        title="Schedules"
        actions={
          <Button kind="primary" icon={Plus} onClick={() => setOpen({ dialog: "create" })}>
            Create a schedule
          </Button>
        }
      >
        Messages that are published by cron.
      </PageHeader>
      <Toolbar>
        <SearchField
          label="Search id, destination or label"
          value={q}
          onChange={(value) => void setState({ q: value || null })}
        />
        <Select
          aria-label="Status"
          options={STATES}
          value={state}
          onChange={(event) => void setState({ state: event.target.value || null })}
        />
        <Select
          aria-label="Last outcome"
          options={OUTCOMES}
          value={last}
          onChange={(event) => void setState({ last: event.target.value || null })}
        />
      </Toolbar>
      <PickedBar number={picked.length} noun={["schedule", "schedules"]} onClear={clear}>
        <Button icon={Pause} onClick={() => all("pause")}>
          Pause
        </Button>
        <Button icon={Play} onClick={() => all("resume")}>
          Resume
        </Button>
        <Button kind="danger" icon={Trash2} onClick={() => all("delete")}>
          Delete
        </Button>
      </PickedBar>
      {error && <Failure error={error} retry={reload} what="The schedules" />}
      {data && id !== null && !shown && (
        <p role="status" className="mx-5 mb-3 border-l-4 border-warn bg-warn-wash px-3 py-2 text-sm max-sm:mx-4">
          There is no schedule “{id}”.
        </p>
      )}
      {!data && !error && <SkeletonRows />}
      {data && schedules.length === 0 && (
        <Empty title={isFiltered ? "No schedule fits the filter." : "No schedule yet."}>
          {isFiltered ? "Widen the filter to see others." : "Create one here, or with schedules.create of the SDK."}
        </Empty>
      )}
      {schedules.length > 0 && (
        <Table
          label="Schedules"
          columns={COLUMNS}
          items={schedules}
          idOf={idOf}
          hrefOf={({ scheduleId }) => scheduleAt(scheduleId)}
          selection={table}
          noun={["schedule", "schedules"]}
          actions={(schedule) => (
            <ActionMenu
              label={`Actions for ${schedule.scheduleId}`}
              entries={[
                { label: "Run now", icon: Send, onSelect: () => setOpen({ dialog: "run", schedule }) },
                { label: "Edit", icon: Pencil, onSelect: () => setOpen({ dialog: "edit", schedule }) },
                schedule.isPaused
                  ? { label: "Resume", icon: Play, onSelect: () => void pause(schedule, false) }
                  : { label: "Pause", icon: Pause, onSelect: () => void pause(schedule, true) },
                { label: "Messages", icon: Inbox, href: messagesOf({ scheduleId: schedule.scheduleId }) },
                { label: "Logs", icon: ScrollText, href: logOf({ scheduleId: schedule.scheduleId }) },
                {
                  label: "Delete",
                  icon: Trash2,
                  isDangerous: true,
                  onSelect: () => setOpen({ dialog: "delete", schedule }),
                },
              ]}
            />
          )}
        />
      )}
      {shown ? (
        <ScheduleDialog
          schedule={shown}
          onClose={() => void setState({ id: null })}
          onRun={() => setOpen({ dialog: "run", schedule: shown })}
          onEdit={() => setOpen({ dialog: "edit", schedule: shown })}
          onPause={(isPaused) => pause(shown, isPaused)}
        >
          {dialogs}
        </ScheduleDialog>
      ) : (
        dialogs
      )}
      {open?.dialog === "bulk" && (
        <ScheduleBulkDialog
          action={open.action}
          schedules={open.schedules}
          onClose={() => {
            close();
            clear();
          }}
          onDone={reload}
        />
      )}
    </>
  );
}

function fitting(
  schedules: ShownSchedule[],
  { q, state, last }: { q: string; state: string; last: string },
): ShownSchedule[] {
  const sought = q.toLowerCase();
  return schedules.filter((schedule) => {
    const { scheduleId, destination, labels = [], isPaused } = schedule;
    if (![scheduleId, destination, ...labels].some((each) => each.toLowerCase().includes(sought))) return false;
    if (state && isPaused !== (state === "paused")) return false;
    const { SUCCESS, FAIL } = lastOutcome(schedule);
    if (last === "never") return schedule.lastScheduleTime === undefined;
    if (last === "failed") return FAIL > 0 || Boolean(schedule.lastScheduleError);
    return last !== "succeeded" || (SUCCESS > 0 && FAIL === 0);
  });
}

function ScheduleStatus({ isPaused }: { isPaused: boolean }) {
  return isPaused ? (
    <Status tone="warn" shape="bar">
      Paused
    </Status>
  ) : (
    <Status tone="ok" shape="dot">
      Active
    </Status>
  );
}
