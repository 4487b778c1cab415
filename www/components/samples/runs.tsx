"use client";

/** The runs of a sample, and what came of them. */
import Link from "next/link";
import { Decision } from "@/components/samples/decision";
import { Failure, SkeletonBlock } from "@/components/ui/notice";
import { RunStatus } from "@/components/ui/status";
import { Ago, Elapsed } from "@/components/ui/time";
import type { Run, RunPage } from "@/lib/broker/types";
import { useBroker } from "@/lib/broker/use";
import { count } from "@/lib/format";
import { fileAddress, type Line, type SampleFile, useSamples } from "@/lib/samples";
import type { Sample } from "@/samples/catalogue";

const SHOWN = 4;
/** Samples that make files. */
const WITH_FILES = new Set(["images", "report"]);

export function SampleRuns({ sample: { name } }: { sample: Sample }) {
  const label = `sample-${name}`;
  const { data, error, reload } = useBroker<RunPage>("/v2/workflows/logs", { label, count: SHOWN });
  const { data: lines = [] } = useSamples<Line[]>("ledger");
  const { data: files = [] } = useSamples<SampleFile[]>(WITH_FILES.has(name) ? "files" : null);
  return (
    <section aria-label="Runs" className="border-t border-line">
      <div className="flex items-baseline justify-between px-5 pt-3 pb-2 max-sm:px-4">
        <h3 className="text-base font-semibold">Runs</h3>
        <Link href={`/runs?q=${label}`} className="text-sm text-soft underline hover:text-ink">
          All of them
        </Link>
      </div>
      {error && <Failure error={error} retry={reload} what="The runs" />}
      {!data && !error && (
        <div className="px-5 pb-4 max-sm:px-4">
          <SkeletonBlock height="3rem" />
        </div>
      )}
      {data && !data.runs?.length && (
        <p className="px-5 pb-4 text-sm text-soft max-sm:px-4">None yet. Start one above; it is followed here.</p>
      )}
      <ul>
        {data?.runs?.map((run) => (
          <li key={run.workflowRunId} className="border-t border-line px-5 py-3 max-sm:px-4">
            <Head run={run} />
            <Lines lines={lines.filter(({ workflowRunId }) => workflowRunId === run.workflowRunId)} />
            {name === "approval" && isWaiting(run) && <Decision workflowRunId={run.workflowRunId} />}
            <Files files={files.filter(({ workflowRunId }) => workflowRunId === run.workflowRunId)} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Whether it waits for an event now. */
const isWaiting = ({ workflowState, steps }: Run): boolean =>
  workflowState === "RUN_STARTED" &&
  steps.some(
    (group) =>
      group.type !== "next" &&
      group.steps.some(({ stepType, state }) => stepType === "Wait" && state === "STEP_PROGRESS"),
  );

function Head({ run }: { run: Run }) {
  const { workflowRunId, workflowRunCreatedAt, workflowRunCompletedAt, workflowState, workflowUrl } = run;
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-1 text-sm">
      <span className="w-24">
        <RunStatus state={workflowState} />
      </span>
      <Link
        href={`/run?id=${encodeURIComponent(workflowRunId)}`}
        className="min-w-0 flex-1 truncate font-mono text-xs underline decoration-edge hover:decoration-ink"
      >
        {workflowRunId}
      </Link>
      <span className="text-xs text-faint">{workflowUrl.includes("/edge/") ? "Edge" : "Node.js"}</span>
      <span className="text-xs text-faint">
        <Elapsed from={workflowRunCreatedAt} to={workflowRunCompletedAt} />
      </span>
      <span className="text-xs text-faint">
        <Ago at={workflowRunCreatedAt} />
      </span>
    </div>
  );
}

/** What it has written into the ledger. */
function Lines({ lines }: { lines: Line[] }) {
  if (lines.length === 0) return null;
  return (
    <table className="mt-2 w-full text-sm">
      <caption className="sr-only">In the ledger</caption>
      <tbody>
        {lines.map(({ id, kind, text, amount }) => (
          <tr key={id} className="align-top">
            <th scope="row" className="w-32 py-0.5 pr-3 text-left font-normal whitespace-nowrap text-faint">
              {kind}
            </th>
            <td className="py-0.5 break-words">{text}</td>
            <td className="w-16 py-0.5 pl-3 text-right whitespace-nowrap">
              {amount === undefined ? "" : count(amount)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Pictures as they come, other files as links. */
function Files({ files }: { files: SampleFile[] }) {
  if (files.length === 0) return null;
  return (
    <ul className="mt-2 flex flex-wrap gap-2 text-sm">
      {files
        .toSorted((one, other) => one.name.localeCompare(other.name, "en", { numeric: true }))
        .map((file) => (
          <li key={file.name}>
            {file.type === "image/png" ? (
              // biome-ignore lint/performance/noImgElement: it is as small as it is shown, and of this server
              <img
                src={fileAddress(file)}
                alt={file.name}
                title={`${file.name}, ${count(file.bytes)} bytes`}
                className="h-15"
              />
            ) : (
              <a href={fileAddress(file)} download={file.name} className="underline">
                {file.name}
              </a>
            )}
          </li>
        ))}
    </ul>
  );
}
