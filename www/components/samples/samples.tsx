"use client";

import clsx from "clsx";
import { Eraser, TriangleAlert } from "lucide-react";
import Link from "next/link";
import { parseAsStringLiteral, useQueryState } from "nuqs";
import { type ReactNode, useState } from "react";
import { SampleRuns } from "@/components/samples/runs";
import { ReportSchedule } from "@/components/samples/schedule";
import { StartForm } from "@/components/samples/start-form";
import { Button } from "@/components/ui/button";
import { PageHeader } from "@/components/ui/page";
import { toast } from "@/components/ui/toast";
import { askSamples, type Setup, useSamples } from "@/lib/samples";
import { SAMPLES, type Sample, type SampleName } from "@/samples/catalogue";

const NAMES = SAMPLES.map(({ name }) => name);

export function Samples({ sources }: { sources: Record<SampleName, ReactNode> }) {
  const [name] = useQueryState("sample", parseAsStringLiteral(NAMES).withDefault("order"));
  const sample = SAMPLES.find((each) => each.name === name) as Sample;
  return (
    <>
      <PageHeader title="Samples" actions={<Clear />}>
        Workflows of this app: start them, watch them, read them.
      </PageHeader>
      <Problems />
      <nav aria-label="Samples" className="border-b border-line px-5 max-sm:px-4">
        <ul className="flex flex-wrap gap-x-5">
          {SAMPLES.map(({ name: each, title }) => (
            <li key={each}>
              <Link
                href={`/samples?sample=${each}`}
                aria-current={each === name ? "true" : undefined}
                className={clsx(
                  "-mb-px flex h-9 items-center border-b-2 text-sm max-sm:h-10",
                  each === name ? "border-ink font-medium" : "border-transparent text-soft hover:text-ink",
                )}
              >
                {title}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <article
        aria-labelledby="sample"
        className="grid flex-1 content-start xl:content-stretch xl:grid-cols-[minmax(0,9fr)_minmax(0,14fr)]"
      >
        <div className="border-line xl:border-r">
          <div className="flex flex-col gap-4 px-5 py-4 max-sm:px-4">
            <div>
              <h2 id="sample" className="text-lg font-semibold">
                {sample.title}
              </h2>
              <p className="mt-1 max-w-prose text-sm text-soft">{sample.shows}</p>
            </div>
            {name === "report" && <ReportSchedule />}
            <StartForm key={name} sample={sample} />
          </div>
          <SampleRuns key={name} sample={sample} />
        </div>
        <div className="min-w-0 px-5 py-4 max-xl:border-t max-xl:border-line max-sm:px-4">{sources[name]}</div>
      </article>
    </>
  );
}

/** What keeps deliveries from this app, and what to do about it. */
function Problems() {
  const { data } = useSamples<Setup>("start");
  return data?.problems.map((problem) => (
    <p
      key={problem}
      role="status"
      className="mx-5 mb-3 flex items-start gap-3 border-l-4 border-warn bg-warn-wash px-4 py-2 text-sm max-sm:mx-4"
    >
      <TriangleAlert size={16} aria-hidden className="mt-0.5 shrink-0 text-warn" />
      <span className="min-w-0 break-words">{problem}</span>
    </p>
  ));
}

function Clear() {
  const [isBusy, setBusy] = useState(false);
  const { reload } = useSamples("ledger");
  const clear = async () => {
    setBusy(true);
    try {
      await askSamples("ledger", { method: "DELETE" });
      await reload();
      toast.done("Cleared", "The ledger, the stock and the files are as at the start.");
    } catch (error) {
      toast.failed("The ledger could not be cleared", error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button icon={Eraser} isBusy={isBusy} onClick={() => void clear()}>
      Clear the ledger
    </Button>
  );
}
