/** Runs that a schedule starts. */
import type { ScheduleOptions } from "../engine/provider.js";
import type { Trigger } from "../engine/trigger.js";
import { base, type TriggerBase } from "./trigger.js";

/** When runs start. */
export interface ScheduleTriggerOptions<TInput = unknown> extends TriggerBase<TInput>, ScheduleOptions {
  /** The input of every run. */
  input?: NoInfer<TInput> | undefined;
}

/**
 * Starts a run whenever the cron expression says so. The provider keeps the schedule, under the trigger's name unless
 * `scheduleId` is another; registering the trigger again replaces it, and removing the trigger deletes it.
 *
 * ```ts
 * const nightly = scheduleTrigger({ name: "nightly", workflow: report, cron: "CRON_TZ=Europe/Berlin 0 3 * * *" });
 * ```
 */
export function scheduleTrigger<TInput = unknown>(options: ScheduleTriggerOptions<TInput>): Trigger {
  const { name, workflow: _, scheduleId = name, ...schedule } = options;
  return {
    ...base("schedule", options),
    async attach(host, call) {
      await host.schedule({ ...schedule, scheduleId }, call);
    },
    async detach(host, call) {
      await host.unschedule(scheduleId, call);
    },
  };
}
