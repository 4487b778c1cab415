/** Schedules. */
import { useMemo } from "react";

import type { InputOf } from "../engine/infer.js";
import type { WorkflowSchedule } from "../engine/types.js";
import type { CallOptions, ScheduleRequest, WorkflowApiClient } from "./client.js";
import { useHandler } from "./effects.js";
import type { WorkflowApiError } from "./error.js";
import { useWorkflowClient } from "./provider.js";
import { type ResourceOptions, useResource } from "./use-resource.js";

/** Schedules, and what can be done with them. What fails throws {@link WorkflowApiError} and is taken back. */
export interface UseWorkflowScheduleResult<TInput = unknown, TNamed extends boolean = boolean> {
  schedules: WorkflowSchedule[];
  /** Whether they are awaited and nothing is known yet. */
  isLoading: boolean;
  /** Why they could not be asked for. */
  error: WorkflowApiError | undefined;
  /** Makes a schedule; its id. */
  create: (
    schedule: TNamed extends true ? Omit<ScheduleRequest<TInput>, "workflowId"> : ScheduleRequest<TInput>,
  ) => Promise<string>;
  pause: (scheduleId: string) => Promise<void>;
  resume: (scheduleId: string) => Promise<void>;
  remove: (scheduleId: string) => Promise<void>;
  /** Asks for them again. */
  refresh: () => Promise<void>;
}

/** The schedules of all workflows. */
export function useWorkflowSchedule(options?: ResourceOptions): UseWorkflowScheduleResult<unknown, false>;
/** The schedules of one: `useWorkflowSchedule<typeof order>("order")` checks the input of {@link create}. */
export function useWorkflowSchedule<W = unknown>(
  workflowId: string,
  options?: ResourceOptions,
): UseWorkflowScheduleResult<InputOf<W>, true>;
export function useWorkflowSchedule(
  first?: string | ResourceOptions,
  second?: ResourceOptions,
): UseWorkflowScheduleResult {
  const client = useWorkflowClient();
  const workflowId = typeof first === "string" ? first : undefined;
  const options = (typeof first === "string" ? second : first) ?? {};
  const { data, error, isLoading, mutate } = useResource("schedules", list, options);

  /** Shows the effect at once, and the truth once the API has answered. */
  const change = async (
    ask: (options: CallOptions) => Promise<void>,
    effect: (schedules: WorkflowSchedule[]) => WorkflowSchedule[],
  ): Promise<void> => {
    const { provider } = options;
    const request = ask({ provider }).then(() => undefined);
    const shown = data && { optimisticData: effect(data) };
    await mutate(request, { ...shown, populateCache: false, rollbackOnError: true });
  };
  const paused = (scheduleId: string, isPaused: boolean) => (schedules: WorkflowSchedule[]) =>
    schedules.map((schedule) => (schedule.scheduleId === scheduleId ? { ...schedule, isPaused } : schedule));
  const without = (scheduleId: string) => (schedules: WorkflowSchedule[]) =>
    schedules.filter((schedule) => schedule.scheduleId !== scheduleId);

  return {
    schedules: useMemo(
      () => (data ?? []).filter((schedule) => workflowId === undefined || schedule.workflowId === workflowId),
      [data, workflowId],
    ),
    isLoading,
    error,
    create: useHandler(async (schedule: Omit<ScheduleRequest, "workflowId"> & { workflowId?: string }) => {
      const { provider } = options;
      const body = { ...schedule, workflowId: workflowId ?? schedule.workflowId ?? "" };
      const scheduleId = await client.createSchedule(body, { provider });
      await mutate();
      return scheduleId;
    }),
    pause: useHandler((id) => change((options) => client.pauseSchedule(id, options), paused(id, true))),
    resume: useHandler((id) => change((options) => client.resumeSchedule(id, options), paused(id, false))),
    remove: useHandler((id) => change((options) => client.deleteSchedule(id, options), without(id))),
    refresh: useHandler(async () => {
      await mutate();
    }),
  };
}

const list = (client: WorkflowApiClient, options: CallOptions) => client.listSchedules(options);
