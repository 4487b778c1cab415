"use client";

import clsx from "clsx";
import dynamic from "next/dynamic";
import { parseAsStringLiteral, useQueryState } from "nuqs";
import { Attention } from "@/components/overview/attention";
import { CHARTS, Charts } from "@/components/overview/charts";
import { Figures, FiguresSkeleton } from "@/components/overview/figures";
import { Health } from "@/components/overview/health";
import { RangeChoice } from "@/components/overview/range";
import { Failure } from "@/components/ui/notice";
import { PageHeader } from "@/components/ui/page";
import type { Metrics } from "@/lib/broker/types";
import { clock, count } from "@/lib/format";
import { DEFAULT_RANGE, RANGES, rangeOf } from "@/lib/metrics/ranges";
import { isEmpty } from "@/lib/metrics/series";
import { type Measured, useMetrics } from "@/lib/metrics/use";

const FirstRun = dynamic(() => import("@/components/overview/first-run").then((it) => it.FirstRun));

const IDS = RANGES.map(({ id }) => id);

export function Overview() {
  const [id, setId] = useQueryState("range", parseAsStringLiteral(IDS).withDefault(DEFAULT_RANGE));
  const { data, isFormer, counted, error, reload } = useMetrics(rangeOf(id));
  return (
    <>
      <PageHeader
        title="Overview"
        actions={<RangeChoice value={id} onChange={(next) => void setId(next === DEFAULT_RANGE ? null : next)} />}
      >
        What the broker does, and whether somebody should look.
      </PageHeader>
      {error && !data && <Failure error={error} retry={reload} what="The overview" />}
      {data ? (
        <div
          aria-busy={isFormer}
          className={clsx("transition-opacity motion-reduce:transition-none", isFormer && "opacity-50")}
        >
          <Health health={data.health} />
          <Figures metrics={data} counted={counted} />
          <Since metrics={data} counted={counted} />
          {isEmpty(data) ? (
            <FirstRun />
          ) : (
            <>
              <Charts metrics={data} />
              <Attention metrics={data} />
            </>
          )}
        </div>
      ) : (
        !error && (
          <>
            <div className="mx-5 mb-3 skeleton h-5 w-72 max-sm:mx-4" />
            <FiguresSkeleton />
            <div className="grid lg:grid-cols-2">
              {CHARTS.map((title) => (
                <div key={title} className="px-5 py-4 max-sm:px-4">
                  <div className="skeleton h-[14.75rem]" />
                </div>
              ))}
            </div>
          </>
        )
      )}
    </>
  );
}

/** What the numbers are counted from, if that is not everything. */
function Since({ metrics: { from, countedFrom }, counted }: { metrics: Metrics; counted: Measured["counted"] }) {
  if (!counted && countedFrom <= from) return null;
  return (
    <p className="border-b border-line px-5 py-1.5 text-xs text-faint max-sm:px-4">
      {counted ? (
        <>
          This broker tells no metrics of its own: counted from the last {count(counted.entries)} entries of its logs
          {counted.isComplete ? "." : `, which go back to ${clock(countedFrom)}.`} Where they begin or end within a
          message, its backlog, age and latency are left out, and so is what has waited since before this time without
          an entry.
        </>
      ) : (
        <>The log has forgotten what happened before {clock(countedFrom)}: nothing earlier is counted.</>
      )}
    </p>
  );
}
