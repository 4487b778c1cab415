"use client";

/** A run: what it does, what it waits for, its steps in time, and what can be done with it. */
import {
  parseAsBoolean,
  parseAsInteger,
  parseAsString,
  parseAsStringLiteral,
  useQueryState,
  useQueryStates,
} from "nuqs";
import { useEffect, useMemo, useRef } from "react";
import { RunActions } from "@/components/runs/actions";
import { MOST_EVENTS, useRun, useRunEvents } from "@/components/runs/data";
import { RunFacts, TextLink } from "@/components/runs/facts";
import { failureIn } from "@/components/runs/failure";
import { Requests } from "@/components/runs/requests";
import { StepDetails } from "@/components/runs/step";
import { Timeline } from "@/components/runs/timeline";
import { Waits } from "@/components/runs/waits";
import { ButtonLink } from "@/components/ui/button";
import { Masked } from "@/components/ui/masked";
import { Empty, Failure, SkeletonBlock, SkeletonRows } from "@/components/ui/notice";
import { PageHeader } from "@/components/ui/page";
import { Payload } from "@/components/ui/payload";
import { RunStatus } from "@/components/ui/status";
import { Tabs } from "@/components/ui/tabs";
import type { Run } from "@/lib/broker/types";
import { count, dateTime, endpointName, plainUrl } from "@/lib/format";
import type { Row } from "@/lib/timeline/model";
import { timelineOf } from "@/lib/timeline/model";

const VIEWS = ["timeline", "payloads", "requests", "json"] as const;

export function RunPage() {
  const [{ id, at }] = useQueryStates({ id: parseAsString.withDefault(""), at: parseAsInteger });
  const { run, others, data, error, reload } = useRun(id, at);
  if (id === "") {
    return (
      <>
        <PageHeader title="Run" />
        <Empty title="No run is named." action={<ButtonLink href="/runs">All runs</ButtonLink>}>
          The address of a run ends with ?id= and its id.
        </Empty>
      </>
    );
  }
  if (run)
    return (
      <Known
        key={`${run.workflowRunId} ${run.workflowRunCreatedAt}`}
        run={run}
        others={others}
        error={error}
        reload={reload}
      />
    );
  return (
    <>
      <PageHeader title="Run">
        <code className="font-mono text-xs break-all">{id}</code>
      </PageHeader>
      {error && <Failure error={error} retry={reload} what="The run" />}
      {!error && data && (
        <Empty title="The broker knows no such run." action={<ButtonLink href="/runs">All runs</ButtonLink>}>
          It has another id, or it ended so long ago that the broker has forgotten it.
        </Empty>
      )}
      {!error && !data && (
        <div className="flex flex-col gap-4 pt-2">
          <div className="px-5 max-sm:px-4">
            <SkeletonBlock height="3.5rem" label="Loading the run" />
          </div>
          <SkeletonRows rows={6} label="Loading its steps" />
        </div>
      )}
    </>
  );
}

interface KnownProps {
  run: Run;
  others: Run[];
  error: Error | undefined;
  reload: () => Promise<unknown>;
}

function Known({ run, others, error, reload }: KnownProps) {
  const { events, isCut, isKnown, error: logError } = useRunEvents(run, nextOf(run, others));
  const timeline = useMemo(() => timelineOf(run, events), [run, events]);
  const [view, setView] = useQueryState("view", parseAsStringLiteral(VIEWS).withDefault("timeline"));
  const [step, setStep] = useQueryState("step", parseAsString);
  const [isReal, setReal] = useQueryState("real", parseAsBoolean.withDefault(false));
  const details = useRef<HTMLElement>(null);
  const wanted = useRef(false);
  const row = rowOf(timeline.rows, step);
  const hasRow = row !== undefined;

  // On a small screen the details are below: whoever asked for them is brought there. Live data never scrolls.
  useEffect(() => {
    if (!wanted.current || !hasRow) return;
    wanted.current = false;
    if (!matchMedia("(width >= 64rem)").matches) details.current?.scrollIntoView({ block: "start" });
  });
  const select = (key: string | null) => {
    wanted.current = key !== null;
    void setStep(key, { history: "replace" });
  };
  const close = () => {
    const key = row?.key;
    select(null);
    if (key) document.querySelector<HTMLElement>(`[data-row="${CSS.escape(key)}"]`)?.focus();
  };

  return (
    <>
      <PageHeader
        title={
          <span className="inline-flex flex-wrap items-center gap-x-3">
            <span className="break-all" title={plainUrl(run.workflowUrl)}>
              {endpointName(run.workflowUrl)}
            </span>
            <span className="text-sm font-normal tracking-normal" data-run-state={run.workflowState}>
              <RunStatus state={run.workflowState} />
            </span>
          </span>
        }
        actions={<RunActions run={run} events={events} reload={reload} />}
      />
      {error && <Failure error={error} retry={reload} what="The newest state" />}
      <RunFacts run={run} others={others} />
      <Waits run={run} />
      <Outcome run={run} rows={timeline.rows} onSelect={select} />
      {isCut && (
        <p className="px-5 pb-2 text-sm text-soft max-sm:px-4">
          The log of its messages is longer than the newest {count(MOST_EVENTS)} entries, which are shown: earlier
          requests and attempts are in the{" "}
          <TextLink href={`/logs?workflowRunId=${encodeURIComponent(run.workflowRunId)}`}>log</TextLink>.
        </p>
      )}
      <div className="min-h-0 pt-2 [&>div>div:first-child]:px-5 max-sm:[&>div>div:first-child]:px-4">
        <Tabs
          label="Views of the run"
          value={view}
          onChange={(next) => void setView(next as (typeof VIEWS)[number])}
          tabs={[
            {
              id: "timeline",
              title: "Timeline",
              content: (
                <div className={row ? "lg:grid lg:grid-cols-[minmax(0,1fr)_minmax(22rem,38%)]" : undefined}>
                  <div className="min-w-0">
                    {timeline.rows.length === 0 ? (
                      <p className="px-5 pb-6 text-sm text-soft max-sm:px-4">No step was begun.</p>
                    ) : (
                      <Timeline
                        timeline={timeline}
                        selected={row?.key}
                        onSelect={(key) => (key === row?.key ? close() : select(key))}
                        isCompressed={!isReal}
                        onCompress={(isCompressed) => void setReal(!isCompressed || null)}
                      />
                    )}
                    {logError && <Failure error={logError} what="The log of its messages" />}
                  </div>
                  {row && (
                    <section
                      ref={details}
                      aria-label="Step"
                      className="min-w-0 border-line max-lg:border-t lg:sticky lg:top-0 lg:max-h-dvh lg:self-start lg:overflow-y-auto lg:border-t lg:border-l"
                    >
                      <StepDetails key={row.key} row={row} run={run} events={events} onClose={close} />
                    </section>
                  )}
                </div>
              ),
            },
            { id: "payloads", title: "Input and response", content: <Payloads run={run} /> },
            {
              id: "requests",
              title: "Requests",
              content: <Requests events={events} isKnown={isKnown} error={logError} rows={timeline.rows} />,
            },
            {
              id: "json",
              title: "JSON",
              content: (
                <div className="flex flex-col items-start gap-3 px-5 pb-6 max-sm:px-4 [&>div]:w-full">
                  <ButtonLink
                    href={`/playground?tab=history&run=${encodeURIComponent(run.workflowRunId)}`}
                    prefetch={false}
                  >
                    Step through it in the playground
                  </ButtonLink>
                  <Payload value={run} label="The log of the run" />
                </div>
              ),
            },
          ]}
        />
      </div>
    </>
  );
}

/** When the id was used again. */
function nextOf({ workflowRunCreatedAt: from }: Run, others: readonly Run[]): number | undefined {
  const later = others.map(({ workflowRunCreatedAt }) => workflowRunCreatedAt).filter((at) => at > from);
  return later.length === 0 ? undefined : Math.min(...later);
}

/** By its key, or by a message of it: what comes next gets its step's id once it is there. */
function rowOf(rows: readonly Row[], key: string | null): Row | undefined {
  if (key === null) return undefined;
  return rows.find((row) => row.key === key) ?? rows.find(({ messageIds }) => messageIds[0] === key);
}

/** Why it failed, and what came of telling that. */
function Outcome({ run, rows, onSelect }: { run: Run; rows: readonly Row[]; onSelect: (key: string) => void }) {
  if (run.workflowState !== "RUN_FAILED") return null;
  const failed = rows.find(({ state, kind }) => state === "failed" && kind !== "failure");
  const told = rows.find(({ kind }) => kind === "failure");
  const { message } = failureIn(run.failureFunction?.failResponse);
  return (
    <div className="mx-5 mb-2 border-l-4 border-bad bg-bad-wash px-4 py-2 text-sm max-sm:mx-4">
      <p className="break-words">
        <span className="font-medium">{run.error ? <Masked text={run.error} /> : "It failed"}</span>
        {message && (
          <>
            : <Masked text={message} />
          </>
        )}
      </p>
      <p className="flex flex-wrap gap-x-4">
        {failed && (
          <button type="button" className="underline underline-offset-2" onClick={() => onSelect(failed.key)}>
            {failed.name ? `The step “${failed.name}”` : "The attempts"}
          </button>
        )}
        {told && (
          <button type="button" className="underline underline-offset-2" onClick={() => onSelect(told.key)}>
            The failure function
          </button>
        )}
      </p>
    </div>
  );
}

function Payloads({ run }: { run: Run }) {
  const initial = run.steps
    .flatMap((group) => (group.type === "next" ? [] : group.steps))
    .find(({ stepType }) => stepType === "Initial");
  const told = run.failureFunction;
  return (
    <div className="flex flex-col gap-5 px-5 pb-6 max-sm:px-4">
      <div>
        <h2 className="mb-1.5 text-sm font-medium">Input</h2>
        <Payload value={initial?.out} label="The input" />
      </div>
      {run.workflowState === "RUN_SUCCESS" && (
        <div>
          <h2 className="mb-1.5 text-sm font-medium">Response</h2>
          <Payload value={run.workflowRunResponse} label="The response" />
        </div>
      )}
      {run.workflowState === "RUN_STARTED" && (
        <p className="text-sm text-faint">
          It has no response yet; it runs since {dateTime(run.workflowRunCreatedAt)}.
        </p>
      )}
      {told && (
        <>
          <div>
            <h2 className="mb-1.5 text-sm font-medium">
              The answer that made it fail{told.failStatus ? ` (${told.failStatus})` : ""}
            </h2>
            <Payload value={told.failResponse} label="The answer that made it fail" />
          </div>
          {told.responseBody !== undefined && (
            <div>
              <h2 className="mb-1.5 text-sm font-medium">
                Response of the failure function{told.responseStatus ? ` (${told.responseStatus})` : ""}
              </h2>
              <Payload value={told.responseBody} label="The response of the failure function" />
            </div>
          )}
        </>
      )}
    </div>
  );
}
