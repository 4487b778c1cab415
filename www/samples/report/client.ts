import { Client as Qstash } from "@repo/orchestration/client";
import { Client } from "@repo/orchestration/workflows";

const SCHEDULE = "sample-report";

/** Every delivery of the schedule starts a run. With an id of its own it can be made again: there is one. */
export const scheduleReport = (url: string, cron: string) =>
  new Qstash().schedules.create({ scheduleId: SCHEDULE, destination: url, cron, label: "sample-report" });

export const unscheduleReport = () => new Qstash().schedules.delete(SCHEDULE);

export const reportNow = (url: string) => new Client().trigger({ url, label: "sample-report" });
