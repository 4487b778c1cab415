"use client";

/** What somebody may want to look at: what waits longest, where deliveries fail, and the newest failed runs. */
import Link from "next/link";
import type { ReactNode } from "react";
import { useMasked } from "@/components/ui/masked";
import { Status } from "@/components/ui/status";
import { Ago } from "@/components/ui/time";
import type { LogEntry, Metrics, RunPage } from "@/lib/broker/types";
import { useBroker } from "@/lib/broker/use";
import { counted, endpointName, plainUrl } from "@/lib/format";
import { failingEndpoints } from "@/lib/metrics/failing";

const SHOWN = 5;

export function Attention({ metrics }: { metrics: Metrics }) {
  return (
    <div className="grid lg:grid-cols-3 lg:divide-x lg:divide-line max-lg:divide-y max-lg:divide-line">
      <Waiting metrics={metrics} />
      <Failing />
      <FailedRuns />
    </div>
  );
}

interface LogAnswer {
  logs?: LogEntry[];
  events?: LogEntry[];
}

const entriesOf = (answer: LogAnswer | undefined): LogEntry[] => answer?.logs ?? answer?.events ?? [];

function Waiting({ metrics: { backlog, runs } }: { metrics: Metrics }) {
  const { oldestAt, oldestDueAt, held, active } = backlog;
  // The log tells which message that is.
  const oldest = useBroker<LogAnswer>(oldestAt === undefined ? null : "/v2/logs", {
    fromDate: oldestAt,
    toDate: (oldestAt ?? 0) + 1,
    state: "CREATED",
    count: 1,
  });
  const longest = useBroker<RunPage>(runs.oldestActiveAt === undefined ? null : "/v2/workflows/logs", {
    fromDate: runs.oldestActiveAt,
    toDate: (runs.oldestActiveAt ?? 0) + 1,
    state: "RUN_STARTED",
    count: 1,
    trimBody: 0,
  });
  const message = oldestAt === undefined ? undefined : entriesOf(oldest.data)[0];
  const run = runs.oldestActiveAt === undefined ? undefined : longest.data?.runs?.[0];
  const isNothing = oldestAt === undefined && runs.oldestActiveAt === undefined && held === 0 && active === 0;
  return (
    <List title="Waiting longest" nothing={isNothing ? "Nothing waits, and no run is under way." : undefined}>
      {oldestAt !== undefined && (
        <Item
          href={message ? `/message?id=${encodeURIComponent(message.messageId)}` : "/messages"}
          name={message ? endpointName(message.url) : "The oldest message"}
          hint={message && plainUrl(message.url)}
          detail="the oldest message, accepted"
          at={oldestAt}
        />
      )}
      {oldestDueAt !== undefined && (
        <Item
          href="/messages"
          name={counted(backlog.due, "message is due", "messages are due")}
          detail="the first since"
          at={oldestDueAt}
        />
      )}
      {held > 0 && (
        <Item
          href="/flow-control"
          name={counted(held, "message is held back", "messages are held back")}
          detail="by a queue or a flow-control key"
        />
      )}
      {active > 0 && (
        <Item href="/messages" name={counted(active, "delivery is under way", "deliveries are under way")} />
      )}
      {runs.oldestActiveAt !== undefined && (
        <Item
          href={run ? `/run?id=${encodeURIComponent(run.workflowRunId)}` : "/runs?state=RUN_STARTED"}
          name={run ? endpointName(run.workflowUrl) : "The longest run"}
          hint={run && plainUrl(run.workflowUrl)}
          detail="the run that takes longest, since"
          at={runs.oldestActiveAt}
        />
      )}
    </List>
  );
}

function Failing() {
  const { data, error } = useBroker<LogAnswer>("/v2/logs", { state: "ERROR", count: 100, trimBody: 0 });
  const failing = failingEndpoints(entriesOf(data), SHOWN);
  const isLoading = data === undefined && !error;
  return (
    <List
      title="Failing endpoints"
      isLoading={isLoading}
      nothing={error ? error.message : failing.length === 0 ? "No attempt has failed lately." : undefined}
    >
      {failing.map(({ url, errors, lastAt, lastStatus, lastError }) => (
        <Item
          key={url}
          href={`/logs?state=ERROR&url=${encodeURIComponent(url)}`}
          name={endpointName(url)}
          hint={plainUrl(url)}
          detail={[counted(errors, "failed attempt"), lastStatus && `the last with ${lastStatus}`]
            .filter(Boolean)
            .join(", ")}
          told={lastStatus ? undefined : lastError}
          at={lastAt}
        />
      ))}
    </List>
  );
}

function FailedRuns() {
  const { data, error } = useBroker<RunPage>("/v2/workflows/logs", { state: "RUN_FAILED", count: SHOWN, trimBody: 0 });
  const isLoading = data === undefined && !error;
  const runs = data?.runs ?? [];
  return (
    <List
      title="Failed runs"
      isLoading={isLoading}
      nothing={error ? error.message : runs.length === 0 ? "No run has failed." : undefined}
    >
      {runs.map(
        ({ workflowRunId, workflowUrl, workflowRunCreatedAt, workflowRunCompletedAt, label, error: reason }) => (
          <Item
            key={`${workflowRunId}@${workflowRunCreatedAt}`}
            href={`/run?id=${encodeURIComponent(workflowRunId)}`}
            name={endpointName(workflowUrl)}
            hint={plainUrl(workflowUrl)}
            detail={label ?? (reason ? undefined : workflowRunId)}
            told={reason}
            at={workflowRunCompletedAt ?? workflowRunCreatedAt}
            isBad
          />
        ),
      )}
    </List>
  );
}

function List({
  title,
  nothing,
  isLoading,
  children,
}: {
  title: string;
  nothing?: string | undefined;
  isLoading?: boolean;
  children: ReactNode;
}) {
  return (
    <section className="min-w-0 py-4">
      <h2 className="px-5 pb-1.5 font-semibold max-sm:px-4">{title}</h2>
      {isLoading ? (
        <div role="status" aria-label="Loading" className="flex flex-col gap-3 px-5 py-2 max-sm:px-4">
          <span className="skeleton h-4" />
          <span className="skeleton h-4 w-3/4" />
        </div>
      ) : nothing ? (
        <p className="px-5 text-sm text-soft max-sm:px-4">{nothing}</p>
      ) : (
        <ul>{children}</ul>
      )}
    </section>
  );
}

function Item({
  href,
  name,
  hint,
  detail,
  told,
  at,
  isBad,
}: {
  href: string;
  name: string;
  hint?: string | undefined;
  detail?: string | undefined;
  /** An error of somebody's: its secrets are masked. */
  told?: string | undefined;
  at?: number;
  isBad?: boolean;
}) {
  const masked = useMasked(told ?? "");
  const line = [detail, masked].filter(Boolean).join(" · ");
  return (
    <li className="relative flex items-start justify-between gap-3 px-5 py-1.5 text-sm hover:bg-sunken max-sm:px-4">
      <span className="min-w-0 flex-1">
        <Link
          href={href}
          prefetch={false}
          title={hint}
          className="block truncate font-medium after:absolute after:inset-0"
        >
          {isBad ? (
            <Status tone="bad" shape="cross" className="font-medium">
              {name}
            </Status>
          ) : (
            name
          )}
        </Link>
        {line && (
          <span className="block truncate text-xs text-faint" title={line}>
            {line}
          </span>
        )}
      </span>
      {at !== undefined && (
        <span className="shrink-0 text-xs text-soft">
          <Ago at={at} />
        </span>
      )}
    </li>
  );
}
