/** How steps are named, for the eye and for who listens. */
import {
  ArrowUpRight,
  Bell,
  CircleDashed,
  CornerDownRight,
  Hourglass,
  LifeBuoy,
  type LucideIcon,
  Moon,
  SquareFunction,
  Webhook,
} from "lucide-react";
import type { Shape, Tone } from "@/components/ui/status";
import { counted, duration } from "@/lib/format";
import type { Kind, Row, RowState, SegmentKind } from "@/lib/timeline/model";

export const KINDS: Record<Kind, [icon: LucideIcon, word: string]> = {
  run: [SquareFunction, "step"],
  call: [ArrowUpRight, "call"],
  sleep: [Moon, "sleep"],
  wait: [Hourglass, "wait for an event"],
  invoke: [CornerDownRight, "invoked run"],
  notify: [Bell, "notification"],
  webhook: [Webhook, "webhook"],
  next: [CircleDashed, "next step"],
  failure: [LifeBuoy, "failure function"],
};

export const STATES: Record<RowState, [tone: Tone, shape: Shape, word: string]> = {
  done: ["ok", "dot", "Done"],
  running: ["run", "half", "Under way"],
  queued: ["idle", "ring", "To be delivered"],
  waiting: ["run", "ring", "Waiting"],
  sleeping: ["idle", "ring", "Asleep"],
  retrying: ["warn", "diamond", "Will retry"],
  failed: ["bad", "cross", "Failed"],
  canceled: ["idle", "bar", "Stopped"],
};

export const SEGMENTS: Record<SegmentKind, string> = {
  work: "at work",
  failed: "attempt that failed",
  gap: "until the next attempt",
  sleep: "asleep",
  wait: "waiting",
  queue: "on the way",
};

/** Steps that have no name yet are named by what they are. */
export const nameOf = ({ name, kind }: Row): string => name || `(${KINDS[kind][1]})`;

/** Milliseconds from the first attempt to the end, or until now; nothing before there was one. */
export function tookOf({ startedAt, endedAt, state }: Row, now: number): number | undefined {
  if (startedAt === undefined || state === "queued") return undefined;
  return Math.max(0, (endedAt ?? now) - startedAt);
}

/** What is said of a step that needed not be done again. */
export const BEFORE = "done by the run that this one resumed";

/** A row in a sentence. */
export function spoken(row: Row, from: number, now: number, place: number, of: number): string {
  const { branch, startedAt, tries, state, kind, until, isCarried } = row;
  const took = tookOf(row, now);
  const isOver = row.endedAt !== undefined;
  return [
    `${place} of ${of}: ${nameOf(row)}`,
    KINDS[kind][1],
    branch && `in parallel, ${branch.index + 1} of ${branch.size}`,
    isCarried ? BEFORE : STATES[state][2],
    startedAt !== undefined && `began after ${duration(startedAt - from)}`,
    took !== undefined && (isOver ? `took ${duration(took)}` : `for ${duration(took)}`),
    tries > 1 && counted(tries, "attempt"),
    until !== undefined && until > now && `goes on in ${duration(until - now)}`,
  ]
    .filter(Boolean)
    .join(", ");
}

/** The class of a segment: work looks like the kind of its step. */
export function barClass(segment: SegmentKind, kind: Row["kind"]): string {
  if (segment !== "work") return segment;
  return kind === "call" || kind === "notify" || kind === "webhook" || kind === "failure" ? kind : "work";
}
