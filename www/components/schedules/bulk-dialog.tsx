"use client";

import { BulkDialog } from "@/components/ui/bulk";
import type { BrokerError } from "@/lib/broker/transport";
import { deleteSchedule, type ShownSchedule, setPaused } from "@/lib/schedules";

export type BulkAction = "pause" | "resume" | "delete";

const ACTIONS = {
  pause: {
    title: "Pause schedules",
    action: "Pause",
    done: "paused",
    isDangerous: false,
    says: "Nothing is published by them until they are resumed; times that pass meanwhile are not made up for.",
    act: ({ scheduleId }: ShownSchedule) => setPaused(scheduleId, true),
  },
  resume: {
    title: "Resume schedules",
    action: "Resume",
    done: "resumed",
    isDangerous: false,
    says: "They publish again from their next time on; times that have passed meanwhile are not made up for.",
    act: ({ scheduleId }: ShownSchedule) => setPaused(scheduleId, false),
  },
  delete: {
    title: "Delete schedules",
    action: "Delete",
    done: "deleted",
    isDangerous: true,
    says: "Nothing is published by them any more. What they have published is still delivered.",
    act: ({ scheduleId }: ShownSchedule) => deleteSchedule(scheduleId),
  },
} as const;

interface Props {
  action: BulkAction;
  schedules: readonly ShownSchedule[];
  onClose: () => void;
  onDone: () => unknown;
}

/** Mounted while it is open. */
export function ScheduleBulkDialog({ action, schedules, onClose, onDone }: Props) {
  const { act, says, ...words } = ACTIONS[action];
  return (
    <BulkDialog
      {...words}
      noun={["schedule", "schedules"]}
      skipped="were gone before"
      items={schedules}
      nameOf={({ scheduleId }) => scheduleId}
      act={async (part) => {
        const [schedule] = part;
        if (!schedule) return 0;
        try {
          await act(schedule);
          return 1;
        } catch (error) {
          if ((error as BrokerError).status === 404) return 0;
          throw error;
        }
      }}
      onClose={onClose}
      onEnd={onDone}
    >
      <p className="text-soft">{says}</p>
    </BulkDialog>
  );
}
