/** From the log of a run to what its timeline draws: a row for each step, with what happened in it and when. */
import type { LogEntry, NextStepLog, Run, StepLog } from "@/lib/broker/types";

export type Kind = "run" | "call" | "sleep" | "wait" | "invoke" | "notify" | "webhook" | "next" | "failure";

/** `queued`: not yet delivered. `canceled`: it went on when the run ended. */
export type RowState = "done" | "running" | "queued" | "waiting" | "sleeping" | "retrying" | "failed" | "canceled";

/**
 * `work`: an endpoint was at it. `failed`: it was, in vain. `gap`: until the next try. `sleep`, `wait`: nothing was to be
 * done. `queue`: on the way to or from an endpoint.
 */
export type SegmentKind = "work" | "failed" | "gap" | "sleep" | "wait" | "queue";

/** Times are milliseconds since 1970. */
export interface Segment {
  kind: SegmentKind;
  from: number;
  /** None while it goes on. */
  to: number | undefined;
}

/** One delivery, as the log tells it. */
export interface Attempt {
  from: number;
  to: number | undefined;
  outcome: "succeeded" | "failed" | "open";
  status: number | undefined;
  error: string | undefined;
}

/** Steps that ran side by side. */
export interface Branch {
  /** The group's number, from 0. */
  group: number;
  /** The place in the group, from 0. */
  index: number;
  size: number;
}

export interface Row {
  /** What names it in an address: a step's id, a message's id, or `failure`. */
  key: string;
  name: string;
  kind: Kind;
  state: RowState;
  startedAt: number | undefined;
  endedAt: number | undefined;
  /** When it goes on by itself. */
  until: number | undefined;
  tries: number;
  attempts: Attempt[];
  segments: Segment[];
  branch: Branch | undefined;
  /** Done by the run that this one resumed. */
  isCarried: boolean;
  /** The messages that carried it. */
  messageIds: string[];
  step: StepLog | undefined;
  next: NextStepLog | undefined;
}

export interface Timeline {
  rows: Row[];
  from: number;
  /** None while the run goes on. */
  to: number | undefined;
  /** The latest time that is known; what is still open lasts at least until then. */
  latest: number;
}

/** What happened to one message. */
interface Delivery {
  messageId: string;
  url: string;
  createdAt: number;
  dueAt: number;
  attempts: Attempt[];
  /** When the next try is due. */
  nextAt: number | undefined;
}

/** What our broker adds to a step; hosted QStash tells neither. */
type Step = StepLog & { startedAt?: number; attempts?: number };
type Executed = Pick<Step, "messageId" | "createdAt"> & {
  startedAt?: number | undefined;
  attempts?: number | undefined;
};
type Next = NextStepLog & { nextDeliveryTime?: number };

const KINDS: Record<StepLog["stepType"], Kind> = {
  Initial: "run",
  Run: "run",
  SleepFor: "sleep",
  SleepUntil: "sleep",
  Call: "call",
  Wait: "wait",
  Notify: "notify",
  Invoke: "invoke",
  CreateWebhook: "webhook",
  WaitForWebhook: "webhook",
};

/** The timeline of a run; `events` are the entries of its messages in the log, the newest first, or as many as are known. */
export function timelineOf(run: Run, events: readonly LogEntry[] = []): Timeline {
  return new Drawing(run, deliveriesOf(events)).timeline();
}

/** By message, in the order of their creation. */
export function deliveriesOf(events: readonly LogEntry[]): Map<string, Delivery> {
  const deliveries = new Map<string, Delivery>();
  for (const event of events.toReversed().toSorted((one, other) => one.time - other.time)) {
    const { messageId, url, time, state } = event;
    let delivery = deliveries.get(messageId);
    if (!delivery) {
      const createdAt = event.createdAt ?? time;
      delivery = { messageId, url, createdAt, dueAt: event.notBefore ?? createdAt, attempts: [], nextAt: undefined };
      deliveries.set(messageId, delivery);
    }
    if (event.nextDeliveryTime !== undefined) delivery.nextAt = event.nextDeliveryTime;
    const last = delivery.attempts.at(-1);
    const open = last?.outcome === "open" ? last : undefined;
    if (state === "ACTIVE") {
      // Its lease ended without an answer, and it was delivered again.
      if (open) Object.assign(open, { to: time, outcome: "failed", error: "there was no answer" });
      delivery.attempts.push({ from: time, to: undefined, outcome: "open", status: undefined, error: undefined });
    }
    const ends = state === "ERROR" || state === "DELIVERED" || (open && (state === "FAILED" || state === "CANCELED"));
    if (!ends) continue;
    const attempt = open ?? { from: time };
    if (!open) delivery.attempts.push(attempt as Attempt);
    const outcome = state === "DELIVERED" ? "succeeded" : "failed";
    Object.assign(attempt, {
      to: time,
      outcome,
      status: event.responseStatus || undefined,
      error: event.error || undefined,
    });
  }
  return deliveries;
}

class Drawing {
  readonly #run: Run;
  readonly #deliveries: Map<string, Delivery>;
  readonly #nexts: Next[];
  /** Deliveries that a step was assigned to. */
  readonly #spent = new Set<string>();
  /** When the steps before had ended: where steps begin if the log does not say. */
  #before: number;

  constructor(run: Run, deliveries: Map<string, Delivery>) {
    this.#run = run;
    this.#deliveries = deliveries;
    this.#before = run.workflowRunCreatedAt;
    this.#nexts = run.steps.flatMap((group) => (group.type === "next" ? (group.steps as Next[]) : []));
  }

  timeline(): Timeline {
    const rows: Row[] = [];
    let groups = 0;
    for (const group of this.#run.steps) {
      if (group.type === "next") continue;
      const steps = (group.steps as Step[]).filter(({ stepType }) => stepType !== "Initial");
      const isParallel = group.type === "parallel" && steps.length > 1;
      for (const [index, step] of steps.entries()) {
        rows.push(this.#step(step, isParallel ? { group: groups, index, size: steps.length } : undefined));
      }
      this.#before = Math.max(this.#before, ...rows.map(({ endedAt }) => endedAt ?? 0));
      if (isParallel) groups += 1;
    }
    rows.push(...this.#next(rows));
    const failure = this.#failure();
    if (failure) rows.push(failure);
    const times = rows.flatMap(({ segments }) => segments.flatMap(({ from, to }) => [from, to ?? from]));
    const { workflowRunCreatedAt: from, workflowRunCompletedAt: completedAt } = this.#run;
    const latest = Math.max(from, completedAt ?? from, ...times);
    const goesOn = completedAt === undefined || rows.some(({ segments }) => segments.at(-1)?.to === undefined);
    return { rows, from: Math.min(from, ...times), to: goesOn ? undefined : latest, latest };
  }

  #step(step: Step, branch: Branch | undefined): Row {
    const kind = KINDS[step.stepType] ?? "run";
    const isOpen = step.state === "STEP_PROGRESS" || step.state === "STEP_RETRY";
    const isSubmitted = step.callType === "step";
    const row = { key: String(step.stepId), name: step.stepName, kind, branch, step };
    if (isSubmitted && step.state === "STEP_SUCCESS" && step.createdAt < this.#run.workflowRunCreatedAt) {
      const carried = { ...row, state: "done" as const, segments: [], attempts: [], messageIds: [step.messageId] };
      return { ...this.#row(carried), isCarried: true };
    }
    // Announced: its own message is the one that has it done.
    if (isSubmitted && step.state !== "STEP_SUCCESS" && (kind !== "sleep" || step.concurrent > 1)) {
      return this.#planned(step, row);
    }
    if (kind === "sleep") return this.#sleep(step, row);
    if (kind === "call" || kind === "wait" || kind === "invoke" || step.stepType === "WaitForWebhook") {
      return this.#awaited(step, row, isOpen);
    }
    const by = this.#executor(step);
    const segments = lead(by, step.startedAt ?? this.#before, step.createdAt, "work");
    return this.#row({
      ...row,
      state: "done",
      segments,
      attempts: until(by, step.createdAt),
      messageIds: ids(by, step.messageId),
    });
  }

  /** A branch that is announced and has no result yet, or failed. */
  #planned(step: Step, row: Named): Row {
    const delivery = this.#deliveries.get(step.messageId);
    const next = this.#nexts.find(({ messageId }) => messageId === step.messageId);
    const isAsleep = row.kind === "sleep" && (delivery?.attempts.length ?? 0) === 0;
    const state =
      step.state === "STEP_FAILED" ? "failed" : isAsleep ? this.#unless("sleeping") : this.#progress(delivery, next);
    const createdAt = delivery?.createdAt ?? step.createdAt;
    const segments = isAsleep
      ? [{ kind: "sleep" as const, from: createdAt, to: undefined }]
      : tries(delivery, createdAt, state === "failed");
    const until = isAsleep || state === "retrying" ? (next?.nextDeliveryTime ?? delivery?.nextAt) : undefined;
    return this.#row({
      ...row,
      state,
      segments,
      until,
      next,
      attempts: delivery?.attempts ?? [],
      messageIds: [step.messageId],
    });
  }

  #sleep(step: Step, row: Named): Row {
    const by = this.#executor(step);
    const { createdAt, startedAt } = step;
    if (step.concurrent > 1) {
      // Its announcement was delivered after the sleep.
      const wokeAt = by?.attempts[0]?.from ?? startedAt ?? createdAt;
      const segments: Segment[] = [{ kind: "sleep", from: by?.createdAt ?? wokeAt, to: wokeAt }];
      return this.#row({
        ...row,
        state: "done",
        segments,
        attempts: by?.attempts ?? [],
        messageIds: ids(by, step.messageId),
      });
    }
    const own = this.#deliveries.get(step.messageId);
    const due = this.#nexts.find(({ messageId }) => messageId === step.messageId)?.nextDeliveryTime ?? own?.dueAt;
    const isAsleep = step.state !== "STEP_SUCCESS";
    const wokeAt = isAsleep ? undefined : (own?.attempts[0]?.from ?? due ?? createdAt);
    const segments = [
      ...lead(by, startedAt ?? createdAt, createdAt, "queue"),
      { kind: "sleep" as const, from: createdAt, to: wokeAt },
    ];
    const messageIds = ids(by, step.messageId);
    const state = isAsleep ? this.#unless("sleeping") : "done";
    return this.#row({
      ...row,
      state,
      segments,
      until: isAsleep ? due : undefined,
      attempts: until(by, createdAt),
      messageIds,
    });
  }

  /** What a third party, an event or another run has to bring. */
  #awaited(step: Step, row: Named, isOpen: boolean): Row {
    const since =
      step.startedAt ?? (step.callType === "toCallback" ? step.createdAt : Math.min(this.#before, step.createdAt));
    // The deliveries that asked for it, and that told its end.
    this.#executor({ messageId: step.messageId, createdAt: since });
    if (step.callType !== "toCallback") this.#executor({ messageId: step.messageId, createdAt: step.createdAt });
    const endedAt = isOpen || step.callType === "toCallback" ? undefined : step.createdAt;
    const call = row.kind === "call" ? this.#callOf(step, since) : undefined;
    if (!call) {
      const segments: Segment[] = [{ kind: row.kind === "call" ? "work" : "wait", from: since, to: endedAt }];
      const state = isOpen ? this.#unless(row.kind === "call" ? "running" : "waiting") : "done";
      const until = isOpen ? step.waitTimeoutDeadline : undefined;
      return this.#row({ ...row, state, segments, until, attempts: [], messageIds: [step.messageId] });
    }
    const next = this.#nexts.find(({ messageId }) => messageId === call.messageId);
    const segments = tries(call, since, false);
    const answeredAt = call.attempts.at(-1)?.to;
    // A call that was answered at last ends with its answer, whatever that is.
    if (
      answeredAt !== undefined &&
      call.attempts.at(-1)?.outcome === "succeeded" &&
      answeredAt < (endedAt ?? Infinity)
    ) {
      segments.push({ kind: "queue", from: answeredAt, to: endedAt });
    }
    const state = isOpen ? this.#progress(call, next) : "done";
    const until = state === "retrying" ? (next?.nextDeliveryTime ?? call.nextAt) : undefined;
    const messageIds = [call.messageId, step.messageId];
    return this.#row({
      ...row,
      state,
      segments: isOpen ? segments : closed(segments, endedAt),
      until,
      next,
      attempts: call.attempts,
      messageIds,
    });
  }

  /** Invocations that are on their way, or failed: what they compute has no result yet. */
  #next(rows: readonly Row[]): Row[] {
    const shown = new Set(rows.flatMap(({ messageIds, state }) => (state === "done" ? [] : messageIds)));
    const last = rows.at(-1)?.branch;
    const isGroupOpen =
      last !== undefined && rows.some(({ branch, state }) => branch?.group === last.group && state !== "done");
    const inGroup = new Set(
      rows.filter(({ branch }) => last && branch?.group === last.group).map(({ step }) => step?.messageId),
    );
    const open = this.#nexts.filter(({ messageId, state }) => {
      if (shown.has(messageId)) return false;
      if (state === "STEP_FAILED") return true;
      const url = this.#deliveries.get(messageId)?.url;
      // Calls of third parties stand at their step; what has submitted its step only has to end; a branch waits for the others.
      if (url !== undefined && url !== this.#run.workflowUrl) return false;
      if (this.#spent.has(messageId)) return false;
      return !(isGroupOpen && inGroup.has(messageId));
    });
    // Each branch's result is delivered; only one of these deliveries goes on.
    const results = open.filter(({ messageId }) => inGroup.has(messageId));
    const chosen = results.find(({ state }) => state === "STEP_FAILED") ?? results[0];
    const kept = open.filter((next) => next === chosen || !results.includes(next));
    return kept.map((next) => {
      const delivery = this.#deliveries.get(next.messageId);
      const createdAt = delivery?.createdAt ?? rows.at(-1)?.endedAt ?? this.#run.workflowRunCreatedAt;
      const state = next.state === "STEP_FAILED" ? "failed" : this.#progress(delivery, next);
      const known = delivery ? tries(delivery, createdAt, state === "failed") : told(next, createdAt);
      const until = state === "retrying" || state === "queued" ? next.nextDeliveryTime : undefined;
      return this.#row({
        key: next.messageId,
        name: next.stepName ?? "",
        kind: "next",
        branch: undefined,
        step: undefined,
        state,
        segments: known,
        until,
        next,
        attempts: delivery?.attempts ?? [],
        messageIds: [next.messageId],
      });
    });
  }

  #failure(): Row | undefined {
    const told = this.#run.failureFunction;
    if (!told?.messageId) return undefined;
    const delivery = this.#deliveries.get(told.messageId);
    const states: Record<typeof told.state, RowState> = {
      CALLBACK_INPROGRESS: "running",
      CALLBACK_SUCCESS: "done",
      CALLBACK_FAIL: "failed",
      CALLBACK_CANCELED: "canceled",
    };
    const known = states[told.state] ?? "running";
    const state = known === "running" && delivery ? progress(delivery) : known;
    const createdAt = delivery?.createdAt ?? this.#run.workflowRunCompletedAt ?? this.#run.workflowRunCreatedAt;
    const segments = delivery ? tries(delivery, createdAt, known !== "running") : [];
    const until = state === "retrying" ? (told.nextDeliveryTime ?? delivery?.nextAt) : undefined;
    const row = { key: "failure", name: "", kind: "failure" as const, branch: undefined, step: undefined };
    return finished({
      ...row,
      state,
      segments,
      until,
      attempts: delivery?.attempts ?? [],
      messageIds: [told.messageId],
    });
  }

  /** The delivery in which a step was submitted: it began when the log says so, or was under way at that time. */
  #executor(step: Executed): Delivery | undefined {
    const { startedAt, createdAt } = step;
    const began = (attempt: Attempt) =>
      startedAt === undefined
        ? attempt.from <= createdAt && createdAt <= (attempt.to ?? Infinity)
        : attempt.from === startedAt;
    const candidates = [...this.#deliveries.values()].filter(
      (it) => it.url === this.#run.workflowUrl && it.messageId !== step.messageId && it.attempts.some(began),
    );
    const tryNumber = (it: Delivery) => it.attempts.findIndex(began) + 1;
    const fits = candidates.filter((it) => step.attempts === undefined || tryNumber(it) === step.attempts);
    const best = [...fits, ...candidates];
    const found = best.find(({ messageId }) => !this.#spent.has(messageId)) ?? best[0];
    if (found) this.#spent.add(found.messageId);
    return found;
  }

  #callOf(step: Step, since: number): Delivery | undefined {
    const calls = [...this.#deliveries.values()].filter(
      ({ url, messageId }) => url === step.callUrl && !this.#spent.has(messageId),
    );
    const found =
      calls.find(({ createdAt }) => createdAt === since) ?? calls.find(({ createdAt }) => createdAt >= since - 1_000);
    if (found) this.#spent.add(found.messageId);
    return found;
  }

  #progress(delivery: Delivery | undefined, next: Next | undefined): RowState {
    return this.#unless(delivery ? progress(delivery) : next?.state === "STEP_RETRY" ? "retrying" : "queued");
  }

  /** The state, or that the run has ended. */
  #unless(state: RowState): RowState {
    return this.#run.workflowState === "RUN_STARTED" ? state : "canceled";
  }

  #row(parts: Parts): Row {
    const endedAt = this.#run.workflowRunCompletedAt;
    return finished(endedAt === undefined ? parts : { ...parts, segments: closed(parts.segments, endedAt) });
  }
}

type Named = Pick<Row, "key" | "name" | "kind" | "branch" | "step">;
type Parts = Named &
  Pick<Row, "state" | "segments" | "attempts" | "messageIds"> & {
    until?: number | undefined;
    next?: NextStepLog | undefined;
  };

function finished(parts: Parts): Row {
  const { segments, state, step, attempts } = parts;
  const own = segments.find(({ kind }) => kind !== "queue") ?? segments[0];
  const isOver = state === "done" || state === "failed" || state === "canceled";
  return {
    until: undefined,
    next: undefined,
    isCarried: false,
    ...parts,
    startedAt: own?.from,
    endedAt: isOver ? segments.at(-1)?.to : undefined,
    tries: attempts.length || (step as Step | undefined)?.attempts || 1 + ((step ?? parts.next)?.retries ?? 0),
  };
}

function progress({ attempts }: Delivery): RowState {
  const last = attempts.at(-1);
  if (!last) return "queued";
  return last.outcome === "failed" ? "retrying" : "running";
}

/** The tries of a delivery up to a time: later ones are not the step's. */
const until = (delivery: Delivery | undefined, time: number): Attempt[] =>
  (delivery?.attempts ?? []).filter(({ from }) => from <= time);

const ids = (by: Delivery | undefined, own: string): string[] => (by ? [by.messageId, own] : [own]);

/** What led to a step: its delivery's way, tries in vain, and the try that submitted it. */
function lead(by: Delivery | undefined, startedAt: number, createdAt: number, kind: SegmentKind): Segment[] {
  if (!by) return [{ kind, from: Math.min(startedAt, createdAt), to: createdAt }];
  const attempts = until(by, createdAt);
  const segments = tries({ ...by, attempts }, by.createdAt, false);
  const last = segments.findLast(({ from }) => from === attempts.at(-1)?.from);
  if (!last) return [{ kind, from: Math.min(startedAt, createdAt), to: createdAt }];
  return [...segments.slice(0, segments.indexOf(last)), { kind, from: last.from, to: createdAt }];
}

/** A delivery: on its way, then try by try with what lies between. */
function tries(delivery: Delivery | undefined, createdAt: number, isOver: boolean): Segment[] {
  if (!delivery) return [{ kind: "queue", from: createdAt, to: undefined }];
  const { attempts } = delivery;
  const first = attempts[0];
  if (!first) return [{ kind: "queue", from: createdAt, to: undefined }];
  const segments: Segment[] = first.from > createdAt ? [{ kind: "queue", from: createdAt, to: first.from }] : [];
  for (const [index, { from, to, outcome }] of attempts.entries()) {
    segments.push({ kind: outcome === "failed" ? "failed" : "work", from, to });
    const following = attempts[index + 1]?.from;
    if (to !== undefined && following !== undefined) segments.push({ kind: "gap", from: to, to: following });
  }
  const last = attempts.at(-1);
  if (last?.outcome === "failed" && last.to !== undefined && !isOver)
    segments.push({ kind: "gap", from: last.to, to: undefined });
  return segments;
}

/** Without the log of the message: its errors tell when tries ended, not when they began. */
function told({ errors, state }: NextStepLog, createdAt: number): Segment[] {
  const segments: Segment[] = [];
  let from = createdAt;
  for (const { time } of errors ?? []) {
    segments.push({ kind: "gap", from, to: time }, { kind: "failed", from: time, to: time });
    from = time;
  }
  if (state !== "STEP_FAILED") segments.push({ kind: segments.length > 0 ? "gap" : "queue", from, to: undefined });
  return segments;
}

/** What is open ends, and nothing is left of what would begin later. */
function closed(segments: readonly Segment[], at: number | undefined): Segment[] {
  if (at === undefined) return [...segments];
  return segments.map((segment) =>
    segment.to === undefined ? { ...segment, to: Math.max(segment.from, at) } : segment,
  );
}
