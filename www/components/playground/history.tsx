"use client";

/** Steps through a recorded run, invocation by invocation, forth and back. */
import { parseAsInteger, parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";
import { useEffect, useState } from "react";
import { Stepper } from "@/components/playground/stepper";
import { SelectField, TextArea } from "@/components/ui/field";
import type { RunPage } from "@/lib/broker/types";
import { useBroker } from "@/lib/broker/use";
import { clock, endpointName } from "@/lib/format";
import type { Replay } from "@/lib/playground/replay";

const SOURCES = ["example", "paste", "run"] as const;
const QUERY = {
  from: parseAsStringLiteral(SOURCES).withDefault("example"),
  run: parseAsString.withDefault(""),
  at: parseAsInteger.withDefault(0),
};

export function History() {
  const [{ from: wanted, run, at }, set] = useQueryStates(QUERY);
  const from = run && wanted === "example" ? "run" : wanted;
  const [pasted, setPasted] = useState("");
  const [{ replay, error }, setPlayed] = useState<{ replay?: Replay; error?: string }>({});
  const page = useBroker<RunPage>(from === "run" && run ? "/v2/workflows/logs" : null, {
    workflowRunId: run,
    count: 1,
  });
  const recorded = from === "run" ? (run ? page.data?.runs?.[0] : undefined) : undefined;
  const text = from === "paste" ? pasted : from === "run" ? (recorded ? JSON.stringify(recorded) : "") : "example";

  useEffect(() => {
    let isCurrent = true;
    if (text.trim() === "") return setPlayed({});
    const timer = setTimeout(() => {
      play(text).then(
        (replay) => isCurrent && setPlayed({ replay }),
        (reason: Error) => isCurrent && setPlayed({ error: reason.message }),
      );
    }, 100);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [text]);

  const problem =
    error ??
    (page.data && run && !recorded && from === "run" ? `The broker knows no run ${run}.` : page.error?.message);
  return (
    <div className="flex flex-col gap-4">
      <p className="max-w-prose text-sm text-soft">
        A workflow’s function is called anew for each step: the request carries the history, recorded results are given
        back at once, and what comes next runs. Here the engine plays a recorded run once more, with the recorded
        results.
      </p>
      <div className="grid max-w-3xl gap-3 sm:grid-cols-2">
        <SelectField
          label="The run"
          value={from}
          onChange={({ target }) => void set({ from: target.value as (typeof SOURCES)[number], run: null, at: null })}
          options={[
            { value: "example", label: "An example: an order" },
            { value: "run", label: "A run of this broker" },
            { value: "paste", label: "A run’s JSON" },
          ]}
        />
        {from === "run" && (
          <RunChoice value={run} onChange={(id) => void set({ from: "run", run: id || null, at: null })} />
        )}
      </div>
      {from === "paste" && (
        <TextArea
          label="JSON"
          hint="A run as /v2/workflows/logs tells it, or that answer."
          rows={6}
          value={pasted}
          onChange={({ target }) => {
            setPasted(target.value);
            void set({ at: null });
          }}
          className="max-w-3xl"
        />
      )}
      {problem && (
        <p role="alert" className="max-w-3xl border-l-4 border-bad bg-bad-wash px-3 py-2 text-sm">
          {problem}
        </p>
      )}
      {replay && !problem && (
        <Stepper
          replay={replay}
          at={Math.min(Math.max(0, at), replay.invocations.length - 1)}
          onMove={(next) => void set({ at: next })}
        />
      )}
    </div>
  );
}

function RunChoice({ value, onChange }: { value: string; onChange: (id: string) => void }) {
  const { data, error } = useBroker<RunPage>("/v2/workflows/logs", { count: 30, trimBody: 0 });
  const runs = data?.runs ?? [];
  const known = runs.map(({ workflowRunId, workflowUrl, workflowRunCreatedAt, label }) => ({
    value: workflowRunId,
    label: `${endpointName(workflowUrl)}${label ? ` · ${label}` : ""} · ${clock(workflowRunCreatedAt)}`,
  }));
  const isElsewhere = value !== "" && !known.some((option) => option.value === value);
  return (
    <SelectField
      label="Which"
      value={value}
      onChange={({ target }) => onChange(target.value)}
      error={error?.message}
      options={[
        { value: "", label: data && runs.length === 0 ? "This broker has no runs yet" : "Choose a run" },
        ...(isElsewhere ? [{ value, label: value }] : []),
        ...known,
      ]}
    />
  );
}

async function play(text: string): Promise<Replay> {
  const [{ replay }, { EXAMPLE }, { serve }, { Client }] = await Promise.all([
    import("@/lib/playground/replay"),
    import("@/lib/playground/example"),
    import("@repo/orchestration/workflows"),
    import("@repo/orchestration/client"),
  ]);
  const run = text === "example" ? EXAMPLE : parsed(text);
  return replay(run, { serve, Client } as unknown as Parameters<typeof replay>[1]);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`This is not JSON: ${(error as Error).message}`);
  }
}
