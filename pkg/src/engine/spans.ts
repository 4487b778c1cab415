/** When a step began and ended, as a broker's log tells it. Unix milliseconds. */
import type { StepLog } from "../workflows/client-logs.js";

/** Our broker tells more than the official one. */
export type TimedStepLog = StepLog & { startedAt?: number };

export interface Span {
  startedAt?: number | undefined;
  completedAt?: number | undefined;
}

/** The time of a step that is over, or the beginning of one that is not. */
export function spanOf(log: TimedStepLog, isOver: boolean): Span {
  const { createdAt, startedAt, stepType } = log;
  if (!isOver) return { startedAt: startedAt ?? createdAt };
  return stepType.startsWith("Sleep") ? sleepOf(log) : { startedAt, completedAt: createdAt };
}

/** A sleep is submitted when it begins; as one of several steps at once it is planned then, and submitted when it ends. */
function sleepOf({ createdAt, startedAt, concurrent, sleepFor, sleepUntil }: TimedStepLog): Span {
  const lasts = sleepFor === undefined ? undefined : secondsOf(sleepFor) * SECOND;
  if (concurrent > 1) return { startedAt: lasts === undefined ? startedAt : createdAt - lasts, completedAt: createdAt };
  const until = typeof sleepUntil === "number" ? sleepUntil * SECOND : createdAt;
  return { startedAt: createdAt, completedAt: lasts === undefined ? Math.max(createdAt, until) : createdAt + lasts };
}

const SECOND = 1_000;

/** A number, or a duration such as `1d10h`, as the step was submitted with. */
function secondsOf(duration: number | string): number {
  const parts = String(duration).matchAll(/(\d+(?:\.\d+)?)([smhd]?)/g);
  return [...parts].reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ""] ?? 1), 0);
}

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400 };
