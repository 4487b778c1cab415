"use client";

import { Inbox, Pause, Pin, PinOff, Play, RotateCcw, ScrollText } from "lucide-react";
import dynamic from "next/dynamic";
import { parseAsString, useQueryStates } from "nuqs";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { SearchField, Select } from "@/components/ui/field";
import { ActionMenu } from "@/components/ui/menu";
import { Meter } from "@/components/ui/meter";
import { Empty, Failure, SkeletonRows } from "@/components/ui/notice";
import { PageHeader, Toolbar } from "@/components/ui/page";
import { Status } from "@/components/ui/status";
import { type Column, Table } from "@/components/ui/table";
import { useNow } from "@/components/ui/time";
import { toast } from "@/components/ui/toast";
import { ask } from "@/lib/broker/transport";
import type { FlowControlInfo, GlobalParallelismInfo } from "@/lib/broker/types";
import { useBroker, useBrokerAll } from "@/lib/broker/use";
import { count, duration } from "@/lib/format";
import { logOf, messagesOf } from "@/lib/places";

const PinDialog = dynamic(() => import("@/components/flow-control/pin-dialog").then((it) => it.PinDialog));
const UnpinDialog = dynamic(() => import("@/components/flow-control/pin-dialog").then((it) => it.UnpinDialog));

/** The specification of workflows spells it in its own way. */
type Key = FlowControlInfo & { waitlistSize?: number };

const waiting = ({ waitListSize, waitlistSize }: Key): number => waitListSize ?? waitlistSize ?? 0;

const COLUMNS: Column<Key>[] = [
  {
    title: "Key",
    width: "minmax(0,1fr)",
    cell: ({ flowControlKey }) => <span title={flowControlKey}>{flowControlKey}</span>,
  },
  { title: "Status", width: "6rem", cell: ({ isPaused }) => <KeyStatus isPaused={isPaused} /> },
  { title: "Waiting", width: "4rem", align: "end", cell: (key) => count(waiting(key)) },
  {
    title: "Under way",
    width: "minmax(0,10rem)",
    from: "sm",
    cell: ({ flowControlKey, parallelismCount, parallelismMax }) => (
      <Meter label={`${flowControlKey}: deliveries under way`} value={parallelismCount} max={parallelismMax} />
    ),
  },
  { title: "Rate", width: "minmax(0,13rem)", from: "md", cell: (key) => <Rate limits={key} /> },
  { title: "Period ends", width: "5.5rem", align: "end", from: "xl", cell: (key) => <PeriodEnd limits={key} /> },
  { title: "Pinned", width: "minmax(0,8rem)", from: "lg", cell: pins },
];

const STATES = [
  { value: "", label: "Any status" },
  { value: "open", label: "Open" },
  { value: "paused", label: "Paused" },
  { value: "waiting", label: "With waiting messages" },
];

const FITS: Record<string, (key: Key) => boolean> = {
  open: ({ isPaused }) => !isPaused,
  paused: ({ isPaused }) => isPaused,
  waiting: (key) => waiting(key) > 0,
};

type Open = { dialog: "pin"; limits?: Key } | { dialog: "unpin"; limits: Key };

export function FlowControl() {
  const [{ q, state }, setFilters] = useQueryStates({
    q: parseAsString.withDefault(""),
    state: parseAsString.withDefault(""),
  });
  const { data, error, reload } = useBrokerAll<Key>("/v2/flowControl", { search: q });
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  const keys = data?.filter(FITS[state] ?? (() => true)) ?? [];

  const act = async (key: string, action: "pause" | "resume" | "resetRate", done: string) => {
    try {
      await ask(`/v2/flowControl/${encodeURIComponent(key)}/${action}`, { method: "POST" });
      toast.done(done, key);
    } catch (reason) {
      toast.failed("The key was not changed", reason);
    }
    await reload();
  };

  return (
    <>
      <PageHeader
        title="Flow control"
        actions={
          <Button icon={Pin} onClick={() => setOpen({ dialog: "pin" })}>
            Pin a key
          </Button>
        }
      >
        Messages with one key share its limits: how many are delivered at once, and how many in a period.
      </PageHeader>
      <Global />
      <Toolbar>
        <SearchField label="Search by key" value={q} onChange={(text) => void setFilters({ q: text || null })} />
        <Select
          aria-label="Status"
          options={STATES}
          value={state}
          onChange={(event) => void setFilters({ state: event.target.value || null })}
        />
      </Toolbar>
      {error && <Failure error={error} retry={reload} what="The flow-control keys" />}
      {!data && !error && <SkeletonRows />}
      {data && keys.length === 0 && (
        <Empty title={q || state ? "No key fits the filter." : "No flow-control key yet."}>
          {q || state
            ? "Widen the filter to see others."
            : "A key is known once a message names it, by flowControl of the SDK or the header Upstash-Flow-Control-Key; or once it is pinned here."}
        </Empty>
      )}
      {keys.length > 0 && (
        <Table
          label="Flow-control keys"
          columns={COLUMNS}
          items={keys}
          idOf={({ flowControlKey }) => flowControlKey}
          hrefOf={({ flowControlKey }) => messagesOf({ flowControlKey })}
          noun={["key", "keys"]}
          actions={(limits) => {
            const key = limits.flowControlKey;
            return (
              <ActionMenu
                label={`Actions for ${key}`}
                entries={[
                  limits.isPaused
                    ? { label: "Resume", icon: Play, onSelect: () => void act(key, "resume", "Key resumed") }
                    : { label: "Pause", icon: Pause, onSelect: () => void act(key, "pause", "Key paused") },
                  { label: "Pin limits", icon: Pin, onSelect: () => setOpen({ dialog: "pin", limits }) },
                  (limits.isPinnedParallelism || limits.isPinnedRate) && {
                    label: "Unpin",
                    icon: PinOff,
                    onSelect: () => setOpen({ dialog: "unpin", limits }),
                  },
                  limits.rateMax > 0 && {
                    label: "Begin a new period",
                    icon: RotateCcw,
                    onSelect: () => void act(key, "resetRate", "A new period has begun"),
                  },
                  { label: "Messages", icon: Inbox, href: messagesOf({ flowControlKey: key }) },
                  { label: "Logs", icon: ScrollText, href: logOf({ flowControlKey: key }) },
                ]}
              />
            );
          }}
        />
      )}
      {open?.dialog === "pin" && <PinDialog limits={open.limits} onClose={close} onDone={reload} />}
      {open?.dialog === "unpin" && <UnpinDialog limits={open.limits} onClose={close} onDone={reload} />}
    </>
  );
}

/** Of the whole broker. */
function Global() {
  const { data } = useBroker<Partial<GlobalParallelismInfo>>("/v2/globalParallelism");
  return (
    <div className="mx-5 mb-4 flex h-8 items-center gap-3 text-sm max-sm:mx-4">
      <span className="whitespace-nowrap text-faint">All deliveries under way</span>
      {data ? (
        <Meter label="All deliveries under way" value={data.parallelismCount ?? 0} max={data.parallelismMax ?? 0} />
      ) : (
        <span className="skeleton h-3 w-40" />
      )}
    </div>
  );
}

function KeyStatus({ isPaused }: { isPaused: boolean }) {
  return isPaused ? (
    <Status tone="warn" shape="bar">
      Paused
    </Status>
  ) : (
    <Status tone="ok" shape="dot">
      Open
    </Status>
  );
}

function Rate({ limits: { flowControlKey, rateCount, rateMax, ratePeriod } }: { limits: Key }) {
  const unit = `per ${duration(ratePeriod * 1000).replace(/^1(?:\.0)? /, "")}`;
  return <Meter label={`${flowControlKey}: begun in this period`} value={rateCount} max={rateMax} unit={unit} />;
}

function PeriodEnd({ limits: { rateMax, ratePeriod, ratePeriodStart } }: { limits: Key }) {
  const now = useNow();
  const left = (ratePeriodStart + ratePeriod) * 1000 - now;
  if (rateMax <= 0 || now === 0 || left <= 0) return null;
  return <span>in {duration(Math.ceil(left / 1000) * 1000)}</span>;
}

function pins({ isPinnedParallelism, isPinnedRate }: Key) {
  const pinned = [isPinnedParallelism && "parallelism", isPinnedRate && "rate"].filter(Boolean).join(", ");
  return <span className="text-soft">{pinned}</span>;
}
