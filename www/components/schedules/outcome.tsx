"use client";

import { Status } from "@/components/ui/status";
import { lastOutcome, type ShownSchedule } from "@/lib/schedules";

/** What became of the messages of a schedule's last time, the worst first. */
export function LastOutcome({ schedule }: { schedule: ShownSchedule }) {
  const { SUCCESS, FAIL, IN_PROGRESS } = lastOutcome(schedule);
  const number = SUCCESS + FAIL + IN_PROGRESS;
  const of = (part: number) => (number > 1 ? `${part}/${number} ` : "");
  if (schedule.lastScheduleError) {
    return (
      <span title={schedule.lastScheduleError}>
        <Status tone="bad" shape="cross">
          Not published
        </Status>
      </span>
    );
  }
  if (FAIL > 0) {
    return (
      <Status tone="bad" shape="cross">
        {of(FAIL)}Failed
      </Status>
    );
  }
  if (IN_PROGRESS > 0) {
    return (
      <Status tone="run" shape="half">
        {of(IN_PROGRESS)}Under way
      </Status>
    );
  }
  if (SUCCESS > 0) {
    return (
      <Status tone="ok" shape="dot">
        {of(SUCCESS)}Delivered
      </Status>
    );
  }
  return schedule.lastScheduleTime === undefined ? (
    <span className="text-faint">Not yet</span>
  ) : (
    <span className="text-faint" title="The log does not hold its messages any more.">
      Unknown
    </span>
  );
}
