"use client";

/** What is asked before a schedule runs at once, or goes. Both are mounted while they are open. */
import { Button } from "@/components/ui/button";
import { ConfirmDialog, Dialog } from "@/components/ui/dialog";
import { toast } from "@/components/ui/toast";
import { publish } from "@/lib/broker/publication";
import { counted } from "@/lib/format";
import { deleteSchedule, hiddenIn, messageOf, type ShownSchedule } from "@/lib/schedules";

interface Props {
  schedule: ShownSchedule;
  onClose: () => void;
  onDone: () => unknown;
}

export function DeleteDialog({ schedule: { scheduleId }, onClose, onDone }: Props) {
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title={`Delete ${scheduleId}?`}
      action="Delete"
      onConfirm={async () => {
        await deleteSchedule(scheduleId);
        toast.done("Schedule deleted", scheduleId);
        await onDone();
      }}
    >
      <p>
        Nothing is published by it any more. What it has published is still delivered. To stop it for a while, pause it.
      </p>
    </ConfirmDialog>
  );
}

/** Publishes the message of a schedule now, without waiting for its next time. */
export function RunNowDialog({ schedule, onClose, onDone }: Props) {
  const { body, headers } = hiddenIn(schedule);
  const hidden = [...(body === "redacted" ? ["its body"] : []), ...headers.map((name) => `its header ${name}`)];
  if (hidden.length > 0) {
    return (
      <Dialog
        isOpen
        onClose={onClose}
        title={`${schedule.scheduleId} can’t be run from here`}
        actions={
          <Button kind="primary" onClick={onClose}>
            Close
          </Button>
        }
      >
        <p>
          The broker hides {hidden.join(" and ")}, so the same message can’t be published from a dashboard. Publish it
          where it is known.
        </p>
      </Dialog>
    );
  }
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      title={`Run ${schedule.scheduleId} now?`}
      action="Run now"
      isDangerous={false}
      onConfirm={async () => {
        const accepted = await publish(messageOf(schedule));
        toast.done(
          `${counted(accepted.length, "message")} published`,
          accepted.map(({ messageId }) => messageId).join(", "),
        );
        await onDone();
      }}
    >
      <p>The same message is published at once to</p>
      <p className="my-2 font-mono text-xs break-all">{schedule.destination}</p>
      <p className="text-soft">
        Its next time stays as it is, and so does “last”: that message belongs to no schedule.
        {(schedule.callback || schedule.failureCallback) &&
          " Headers of its callbacks are not sent along: the broker does not show them."}
      </p>
    </ConfirmDialog>
  );
}
