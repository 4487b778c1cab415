"use client";

import { Inbox, ListPlus, Pause, Pencil, Play, Plus, ScrollText, Trash2 } from "lucide-react";
import dynamic from "next/dynamic";
import { parseAsString, useQueryState } from "nuqs";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { SearchField } from "@/components/ui/field";
import { ActionMenu } from "@/components/ui/menu";
import { Empty, Failure, SkeletonRows } from "@/components/ui/notice";
import { PageHeader, Toolbar } from "@/components/ui/page";
import { Status } from "@/components/ui/status";
import { type Column, Table } from "@/components/ui/table";
import { Ago } from "@/components/ui/time";
import { toast } from "@/components/ui/toast";
import { ask } from "@/lib/broker/transport";
import type { Queue } from "@/lib/broker/types";
import { useBrokerAll } from "@/lib/broker/use";
import { count } from "@/lib/format";
import { logOf, messagesOf } from "@/lib/places";

const QueueDialog = dynamic(() => import("@/components/queues/queue-dialog").then((it) => it.QueueDialog));
const DeleteQueueDialog = dynamic(() => import("@/components/queues/queue-dialog").then((it) => it.DeleteQueueDialog));
const PublishDialog = dynamic(() => import("@/components/publish/publish-dialog").then((it) => it.PublishDialog));

const COLUMNS: Column<Queue>[] = [
  { title: "Queue", width: "minmax(0,1fr)", cell: ({ name }) => <span title={name}>{name}</span> },
  { title: "Status", width: "7rem", cell: ({ paused }) => <QueueStatus paused={paused} /> },
  { title: "Waiting", width: "4.5rem", align: "end", cell: ({ lag }) => count(lag) },
  { title: "Parallelism", width: "5.5rem", align: "end", from: "sm", cell: ({ parallelism }) => count(parallelism) },
  { title: "Created", width: "6rem", align: "end", from: "lg", cell: ({ createdAt }) => <Ago at={createdAt} /> },
  { title: "Changed", width: "6rem", align: "end", from: "md", cell: ({ updatedAt }) => <Ago at={updatedAt} /> },
];

type Open = { dialog: "create" } | { dialog: "change" | "enqueue" | "delete"; queue: Queue };

export function Queues() {
  const [q, setSearch] = useQueryState("q", parseAsString.withDefault(""));
  const { data, error, reload } = useBrokerAll<Queue>("/v2/queues");
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  const queues = data?.filter(({ name }) => name.toLowerCase().includes(q.toLowerCase())) ?? [];

  const setPaused = async ({ name }: Queue, paused: boolean) => {
    try {
      await ask(`/v2/queues/${encodeURIComponent(name)}/${paused ? "pause" : "resume"}`, { method: "POST" });
      toast.done(paused ? "Queue paused" : "Queue resumed", name);
    } catch (reason) {
      toast.failed(paused ? "The queue was not paused" : "The queue was not resumed", reason);
    }
    await reload();
  };

  return (
    <>
      <PageHeader
        title="Queues"
        actions={
          <Button kind="primary" icon={Plus} onClick={() => setOpen({ dialog: "create" })}>
            Create a queue
          </Button>
        }
      >
        Messages of a queue are delivered in order, as many at once as its parallelism says.
      </PageHeader>
      <Toolbar>
        <SearchField label="Search by name" value={q} onChange={(text) => void setSearch(text || null)} />
      </Toolbar>
      {error && <Failure error={error} retry={reload} what="The queues" />}
      {!data && !error && <SkeletonRows />}
      {data && queues.length === 0 && (
        <Empty title={q ? "No queue has such a name." : "No queue yet."}>
          {q ? "Search for another part of the name." : "Create one here; or enqueue a message, which makes its queue."}
        </Empty>
      )}
      {queues.length > 0 && (
        <Table
          label="Queues"
          columns={COLUMNS}
          items={queues}
          idOf={({ name }) => name}
          hrefOf={({ name }) => messagesOf({ queueName: name })}
          noun={["queue", "queues"]}
          actions={(queue) => (
            <ActionMenu
              label={`Actions for ${queue.name}`}
              entries={[
                { label: "Enqueue a message", icon: ListPlus, onSelect: () => setOpen({ dialog: "enqueue", queue }) },
                { label: "Change", icon: Pencil, onSelect: () => setOpen({ dialog: "change", queue }) },
                queue.paused
                  ? { label: "Resume", icon: Play, onSelect: () => void setPaused(queue, false) }
                  : { label: "Pause", icon: Pause, onSelect: () => void setPaused(queue, true) },
                { label: "Messages", icon: Inbox, href: messagesOf({ queueName: queue.name }) },
                { label: "Logs", icon: ScrollText, href: logOf({ queueName: queue.name }) },
                {
                  label: "Delete",
                  icon: Trash2,
                  isDangerous: true,
                  onSelect: () => setOpen({ dialog: "delete", queue }),
                },
              ]}
            />
          )}
        />
      )}
      {(open?.dialog === "create" || open?.dialog === "change") && (
        <QueueDialog
          queue={open.dialog === "change" ? open.queue : undefined}
          names={data?.map(({ name }) => name)}
          onClose={close}
          onDone={reload}
        />
      )}
      {open?.dialog === "enqueue" && <PublishDialog queue={open.queue.name} onClose={close} onDone={reload} />}
      {open?.dialog === "delete" && <DeleteQueueDialog queue={open.queue} onClose={close} onDone={reload} />}
    </>
  );
}

function QueueStatus({ paused }: { paused: boolean }) {
  return paused ? (
    <Status tone="warn" shape="bar">
      Paused
    </Status>
  ) : (
    <Status tone="ok" shape="dot">
      Delivering
    </Status>
  );
}
