"use client";

/** What can be done with a run. Dialogs come when they are asked for. */
import { Ban, LifeBuoy, Play, Repeat2, RotateCcw, Skull } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { Button, ButtonLink } from "@/components/ui/button";
import type { LogEntry, Run } from "@/lib/broker/types";

const CancelRun = dynamic(() => import("@/components/runs/cancel").then((it) => it.CancelRun));
const Recovery = dynamic(() => import("@/components/runs/recovery").then((it) => it.Recovery));
const TellAgain = dynamic(() => import("@/components/runs/tell-again").then((it) => it.TellAgain));
const Rerun = dynamic(() => import("@/components/runs/rerun").then((it) => it.Rerun));

type Asked = "cancel" | "resume" | "restart" | "tell" | "rerun";

export function RunActions({ run, events, reload }: { run: Run; events: readonly LogEntry[]; reload: () => unknown }) {
  const [asked, setAsked] = useState<Asked>();
  const close = () => setAsked(undefined);
  const { dlqId, workflowState } = run;
  const isFailed = workflowState === "RUN_FAILED" && dlqId !== undefined;
  return (
    <>
      {workflowState === "RUN_STARTED" && (
        <Button icon={Ban} kind="danger" onClick={() => setAsked("cancel")}>
          Cancel
        </Button>
      )}
      {isFailed && (
        <>
          <Button icon={Play} kind="primary" onClick={() => setAsked("resume")}>
            Resume
          </Button>
          <Button icon={RotateCcw} onClick={() => setAsked("restart")}>
            Restart
          </Button>
          {run.failureFunction?.state === "CALLBACK_FAIL" && (
            <Button icon={LifeBuoy} onClick={() => setAsked("tell")}>
              Call failure function
            </Button>
          )}
          <ButtonLink icon={Skull} href={`/dlq?kind=runs&letter=${encodeURIComponent(dlqId)}`} prefetch={false}>
            Dead letter
          </ButtonLink>
        </>
      )}
      <Button icon={Repeat2} onClick={() => setAsked("rerun")}>
        Run again
      </Button>
      {asked === "cancel" && <CancelRun run={run} onClose={close} reload={reload} />}
      {(asked === "resume" || asked === "restart") && isFailed && (
        <Recovery mode={asked} dlqId={dlqId} run={run} onClose={close} />
      )}
      {asked === "tell" && isFailed && <TellAgain dlqId={dlqId} onClose={close} reload={reload} />}
      {asked === "rerun" && <Rerun run={run} events={events} onClose={close} />}
    </>
  );
}
