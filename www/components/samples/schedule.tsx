"use client";

import { CalendarPlus, Trash2 } from "lucide-react";
import Link from "next/link";
import { type FormEvent, useState } from "react";
import { useCron } from "@/components/schedules/cron";
import { Button } from "@/components/ui/button";
import { TextField } from "@/components/ui/field";
import { Ago } from "@/components/ui/time";
import { toast } from "@/components/ui/toast";
import type { Schedule } from "@/lib/broker/types";
import { useBroker } from "@/lib/broker/use";
import { askSamples } from "@/lib/samples";

const SCHEDULE = "sample-report";

/** The schedule of the nightly report: there is one or none. */
export function ReportSchedule() {
  const { data, reload } = useBroker<Schedule[]>("/v2/schedules");
  const schedule = data?.find(({ scheduleId }) => scheduleId === SCHEDULE);
  const [cron, setCron] = useState("CRON_TZ=Europe/Vienna 0 3 * * *");
  const { expression, error } = useCron(cron);
  const [isBusy, setBusy] = useState(false);

  const act = async (done: string, failed: string, request: Parameters<typeof askSamples>[1]) => {
    setBusy(true);
    try {
      await askSamples("schedule", request);
      await reload();
      toast.done(done, SCHEDULE);
    } catch (reason) {
      toast.failed(failed, reason);
    } finally {
      setBusy(false);
    }
  };
  const create = (event: FormEvent) => {
    event.preventDefault();
    void act("Scheduled", "It was not scheduled", { method: "POST", body: { cron } });
  };

  if (schedule)
    return (
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 text-sm">
        <span>
          <Link href="/schedules" className="underline decoration-edge hover:decoration-ink">
            Scheduled
          </Link>{" "}
          as <code className="font-mono text-xs">{schedule.cron}</code>
          {schedule.nextScheduleTime !== undefined && (
            <>
              , next <Ago at={schedule.nextScheduleTime} />
            </>
          )}
        </span>
        <Button
          icon={Trash2}
          isBusy={isBusy}
          onClick={() => void act("No longer scheduled", "It is still scheduled", { method: "DELETE" })}
        >
          Delete the schedule
        </Button>
      </div>
    );
  return (
    <form noValidate onSubmit={create} className="flex flex-col items-start gap-3">
      <div className="w-full sm:w-80">
        <TextField
          label="Cron"
          name="cron"
          value={cron}
          error={error}
          hint={expression ? `${expression.sentence}.` : "Five fields, perhaps after CRON_TZ=<zone>."}
          spellCheck={false}
          autoComplete="off"
          className="font-mono"
          onChange={(event) => setCron(event.target.value)}
        />
      </div>
      <Button type="submit" icon={CalendarPlus} isBusy={isBusy} disabled={error !== undefined || cron.trim() === ""}>
        Create the schedule
      </Button>
    </form>
  );
}
