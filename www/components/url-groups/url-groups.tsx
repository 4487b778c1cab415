"use client";

import { Inbox, Plus, ScrollText, Send, Settings2, Trash2 } from "lucide-react";
import dynamic from "next/dynamic";
import { parseAsString, useQueryStates } from "nuqs";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { SearchField } from "@/components/ui/field";
import { ActionMenu } from "@/components/ui/menu";
import { Empty, Failure, SkeletonRows } from "@/components/ui/notice";
import { PageHeader, Toolbar } from "@/components/ui/page";
import { type Column, Table } from "@/components/ui/table";
import { Ago } from "@/components/ui/time";
import type { UrlGroup } from "@/lib/broker/types";
import { useBrokerAll } from "@/lib/broker/use";
import { count, plainUrl } from "@/lib/format";
import { groupAt, logOf, messagesOf } from "@/lib/places";

const GroupDialog = dynamic(() => import("@/components/url-groups/group-dialog").then((it) => it.GroupDialog));
const CreateGroupDialog = dynamic(() =>
  import("@/components/url-groups/group-dialog").then((it) => it.CreateGroupDialog),
);
const DeleteGroupDialog = dynamic(() =>
  import("@/components/url-groups/group-dialog").then((it) => it.DeleteGroupDialog),
);
const PublishDialog = dynamic(() => import("@/components/publish/publish-dialog").then((it) => it.PublishDialog));

const COLUMNS: Column<UrlGroup>[] = [
  { title: "URL group", width: "minmax(0,12rem)", cell: ({ name }) => <span title={name}>{name}</span> },
  { title: "Endpoints", width: "4.5rem", align: "end", cell: ({ endpoints }) => count(endpoints.length) },
  {
    title: "URLs",
    width: "minmax(0,1fr)",
    from: "sm",
    cell: ({ endpoints }) => {
      const all = endpoints.map(({ name, url }) => (name ? `${name} ${plainUrl(url)}` : plainUrl(url))).join(", ");
      return (
        <span className="text-soft" title={all}>
          {all}
        </span>
      );
    },
  },
  { title: "Created", width: "6rem", align: "end", from: "lg", cell: ({ createdAt }) => <Ago at={createdAt} /> },
  { title: "Changed", width: "6rem", align: "end", from: "md", cell: ({ updatedAt }) => <Ago at={updatedAt} /> },
];

type Open = { dialog: "create" } | { dialog: "publish" | "delete"; name: string };

/** A group that is looked at stands in the URL: `?name=`. */
export function UrlGroups() {
  const [{ q, name }, setState] = useQueryStates({ q: parseAsString.withDefault(""), name: parseAsString });
  const { data, error, reload } = useBrokerAll<UrlGroup>("/v2/topics");
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  const sought = q.toLowerCase();
  const groups =
    data?.filter((group) =>
      [group.name, ...group.endpoints.map(({ url }) => url)].some((text) => text.toLowerCase().includes(sought)),
    ) ?? [];
  const shown = name === null ? undefined : data?.find((group) => group.name === name);

  const publishing = open?.dialog === "publish" && <PublishDialog group={open.name} onClose={close} onDone={reload} />;
  return (
    <>
      <PageHeader
        title="URL groups"
        actions={
          <Button kind="primary" icon={Plus} onClick={() => setOpen({ dialog: "create" })}>
            Create a group
          </Button>
        }
      >
        A message to a group goes to each of its endpoints.
      </PageHeader>
      <Toolbar>
        <SearchField label="Search name or URL" value={q} onChange={(text) => void setState({ q: text || null })} />
      </Toolbar>
      {error && <Failure error={error} retry={reload} what="The URL groups" />}
      {data && name !== null && !shown && (
        <p role="status" className="mx-5 mb-3 border-l-4 border-warn bg-warn-wash px-3 py-2 text-sm max-sm:mx-4">
          There is no URL group “{name}”. A group without endpoints does not exist.
        </p>
      )}
      {!data && !error && <SkeletonRows />}
      {data && groups.length === 0 && (
        <Empty title={q ? "No URL group fits the search." : "No URL group yet."}>
          {q
            ? "Search for another part of a name or URL."
            : "Create one with its first endpoint, and publish to its name instead of a URL."}
        </Empty>
      )}
      {groups.length > 0 && (
        <Table
          label="URL groups"
          columns={COLUMNS}
          items={groups}
          idOf={(group) => group.name}
          hrefOf={(group) => groupAt(group.name)}
          noun={["URL group", "URL groups"]}
          actions={(group) => (
            <ActionMenu
              label={`Actions for ${group.name}`}
              entries={[
                {
                  label: "Publish a message",
                  icon: Send,
                  onSelect: () => setOpen({ dialog: "publish", name: group.name }),
                },
                { label: "Endpoints", icon: Settings2, onSelect: () => void setState({ name: group.name }) },
                { label: "Messages", icon: Inbox, href: messagesOf({ topicName: group.name }) },
                { label: "Logs", icon: ScrollText, href: logOf({ topicName: group.name }) },
                {
                  label: "Delete",
                  icon: Trash2,
                  isDangerous: true,
                  onSelect: () => setOpen({ dialog: "delete", name: group.name }),
                },
              ]}
            />
          )}
        />
      )}
      {shown ? (
        <GroupDialog
          group={shown}
          onClose={() => void setState({ name: null })}
          onPublish={() => setOpen({ dialog: "publish", name: shown.name })}
          onDone={reload}
        >
          {publishing}
        </GroupDialog>
      ) : (
        publishing
      )}
      {open?.dialog === "create" && (
        <CreateGroupDialog names={data?.map((group) => group.name) ?? []} onClose={close} onDone={reload} />
      )}
      {open?.dialog === "delete" && <DeleteGroupDialog name={open.name} onClose={close} onDone={reload} />}
    </>
  );
}
