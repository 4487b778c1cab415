"use client";

import { Pause, Pencil, Play, Send } from "lucide-react";
import Link from "next/link";
import { type ReactNode, useState } from "react";
import { Headers } from "@/components/messages/exchange";
import { CronPreview } from "@/components/schedules/cron";
import { Button } from "@/components/ui/button";
import { Identifier } from "@/components/ui/copy";
import { Dialog } from "@/components/ui/dialog";
import { Masked } from "@/components/ui/masked";
import { Fact, Facts } from "@/components/ui/page";
import { Payload } from "@/components/ui/payload";
import { Status } from "@/components/ui/status";
import { Ago } from "@/components/ui/time";
import { duration } from "@/lib/format";
import { messageAt } from "@/lib/places";
import { labelsOf, type ShownSchedule } from "@/lib/schedules";

interface Props {
  schedule: ShownSchedule;
  onClose: () => void;
  onRun: () => void;
  onEdit: () => void;
  onPause: (isPaused: boolean) => Promise<void>;
  /** Dialogs that it has opened. */
  children?: ReactNode;
}

/** All that is known of a schedule. Mounted while it is open. */
export function ScheduleDialog({ schedule, onClose, onRun, onEdit, onPause, children }: Props) {
  const [isBusy, setBusy] = useState(false);
  const { isPaused, cron, lastScheduleError } = schedule;
  const pause = async () => {
    setBusy(true);
    await onPause(!isPaused);
    setBusy(false);
  };
  return (
    <Dialog
      isOpen
      isWide
      onClose={onClose}
      title={schedule.scheduleId}
      actions={
        <>
          <Button icon={isPaused ? Play : Pause} isBusy={isBusy} onClick={() => void pause()}>
            {isPaused ? "Resume" : "Pause"}
          </Button>
          <Button icon={Pencil} onClick={onEdit}>
            Edit
          </Button>
          <Button kind="primary" icon={Send} onClick={onRun}>
            Run now
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-5">
        <section>
          <h3 className="mb-1 font-medium">
            When: <code className="font-mono text-xs font-normal">{cron}</code>
          </h3>
          {isPaused && (
            <p className="mb-2 border-l-4 border-warn bg-warn-wash px-3 py-1.5">
              Paused: nothing comes at these times until it is resumed.
            </p>
          )}
          <CronPreview cron={cron} />
        </section>
        <section>
          <h3 className="mb-1 font-medium">What</h3>
          <Published schedule={schedule} />
        </section>
        <section>
          <h3 className="mb-1 font-medium">Headers</h3>
          <Headers label="Headers" headers={schedule.header} />
        </section>
        <section>
          <h3 className="mb-1 font-medium">Body</h3>
          <Payload label="Body" value={schedule.body ?? (schedule.bodyBase64 && `base64: ${schedule.bodyBase64}`)} />
        </section>
        <section>
          <h3 className="mb-1 font-medium">Last time</h3>
          {schedule.lastScheduleTime === undefined ? (
            <p className="text-faint">It has not come yet.</p>
          ) : (
            <p>
              <Ago at={schedule.lastScheduleTime} />
            </p>
          )}
          {lastScheduleError && (
            <p className="mt-1 border-l-4 border-bad bg-bad-wash px-3 py-1.5">
              Nothing was published: <Masked text={lastScheduleError} />
            </p>
          )}
          <Outcomes schedule={schedule} />
        </section>
      </div>
      {children}
    </Dialog>
  );
}

function Published({ schedule }: { schedule: ShownSchedule }) {
  const { parallelism, rate, period, flowControlKey } = schedule;
  const limits = [
    parallelism !== undefined && `parallelism ${parallelism}`,
    rate !== undefined && `rate ${rate}${period === undefined ? "" : ` in ${duration(period * 1000)}`}`,
  ].filter(Boolean);
  return (
    <Facts>
      <Fact name="Destination">
        <span className="font-mono text-xs break-all">
          {schedule.method} <Masked text={schedule.destination} />
        </span>
      </Fact>
      <Fact name="Retries">{schedule.retries}</Fact>
      <Fact name="Retry delay">
        {schedule.retryDelayExpression && <code className="font-mono text-xs">{schedule.retryDelayExpression}</code>}
      </Fact>
      <Fact name="Delay">{schedule.delay === undefined ? undefined : duration(schedule.delay * 1000)}</Fact>
      <Fact name="Timeout">{schedule.timeout === undefined ? undefined : duration(schedule.timeout * 1000)}</Fact>
      <Fact name="Queue">{schedule.queueName}</Fact>
      <Fact name="Flow control">{flowControlKey && [flowControlKey, ...limits].join(", ")}</Fact>
      <Fact name="Labels">{labelsOf(schedule).join(", ")}</Fact>
      <Fact name="Callback">{schedule.callback && <Masked text={schedule.callback} />}</Fact>
      <Fact name="Failure callback">{schedule.failureCallback && <Masked text={schedule.failureCallback} />}</Fact>
      <Fact name="Created">
        <Ago at={schedule.createdAt} />
      </Fact>
    </Facts>
  );
}

const STATES = {
  SUCCESS: { tone: "ok", shape: "dot", children: "Delivered" },
  FAIL: { tone: "bad", shape: "cross", children: "Failed" },
  IN_PROGRESS: { tone: "run", shape: "half", children: "Under way" },
} as const;

function Outcomes({ schedule: { lastScheduleStates = {} } }: { schedule: ShownSchedule }) {
  return (
    <ul className="mt-1">
      {Object.entries(lastScheduleStates).map(([id, state]) => (
        <li key={id} className="flex flex-wrap items-center gap-x-4">
          <Status {...STATES[state]} className="w-24" />
          <Identifier id={id} label="Copy the message id" />
          <Link href={messageAt(id)} prefetch={false} className="underline underline-offset-2">
            Show
          </Link>
        </li>
      ))}
    </ul>
  );
}
