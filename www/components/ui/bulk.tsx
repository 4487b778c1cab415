"use client";

/** One action on many things: says on how many, does it with its progress, can be stopped, and tells what failed. */
import { type ReactNode, useEffect, useRef, useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { type BulkOptions, type BulkProgress, byReason, runBulk } from "@/lib/bulk";
import { count, counted } from "@/lib/format";

export type Finder<Item> = (signal: AbortSignal, tell: (found: number) => void) => Promise<Item[]>;

export interface BulkDialogProps<Item> extends Pick<BulkOptions<Item>, "act" | "size" | "parallel"> {
  onClose: () => void;
  /** What is acted on: `Cancel messages`. */
  title: string;
  /** What the button says: a verb. */
  action: string;
  /** What was done with them: `canceled`. */
  done: string;
  /** What became of those that were left alone; `had ended before` if absent. */
  skipped?: string;
  /** `one` and `many` of what is acted on. */
  noun: [one: string, many: string];
  /** Taken once, when the dialog opens; a function finds them, with the number so far. */
  items: readonly Item[] | Finder<Item>;
  /** What a failure is told with. */
  nameOf: (item: Item) => string;
  isDangerous?: boolean;
  /** What it does, and fields that say how. */
  children?: ReactNode;
  /** What follows from it, below its outcome: a link to what came of it. */
  result?: ReactNode;
  /** After each way through, also one that was stopped; with those that were done or left alone. */
  onEnd?: (done: Item[]) => unknown;
}

/** Mounted while it is open. */
export function BulkDialog<Item>({
  onClose,
  title,
  action,
  isDangerous = true,
  onEnd,
  children,
  result,
  ...work
}: BulkDialogProps<Item>) {
  const { items, act, size, parallel, noun } = work;
  const found = useFound(items);
  const [progress, setProgress] = useState<BulkProgress<Item>>();
  const stop = useRef<AbortController>(undefined);
  const [isStopping, setStopping] = useState(false);
  const isUnderWay = progress?.state === "running" || progress?.state === "waiting";
  useEffect(() => () => stop.current?.abort(), []);

  const run = async (over: readonly Item[]) => {
    stop.current = new AbortController();
    setStopping(false);
    const { signal } = stop.current;
    const { failures, rest } = await runBulk({ items: over, act, size, parallel, signal, onProgress: setProgress });
    const left = new Set([...failures.map(({ item }) => item), ...rest]);
    await onEnd?.(over.filter((item) => !left.has(item)));
  };
  const left = progress && !isUnderWay ? [...progress.failures.map(({ item }) => item), ...progress.rest] : [];

  return (
    <Dialog
      isOpen
      // What is under way is stopped first, so that nobody loses sight of it.
      onClose={() => !isUnderWay && onClose()}
      title={title}
      actions={
        isUnderWay ? (
          <Button
            isBusy={isStopping}
            onClick={() => {
              setStopping(true);
              stop.current?.abort();
            }}
          >
            Stop
          </Button>
        ) : progress ? (
          <>
            {left.length > 0 && (
              <Button onClick={() => void run(left)}>
                {action} the {count(left.length)} left
              </Button>
            )}
            <Button kind="primary" onClick={onClose}>
              Close
            </Button>
          </>
        ) : (
          <>
            <Button onClick={onClose}>{isDangerous ? "Keep" : "Not now"}</Button>
            <Button
              kind={isDangerous ? "danger" : "primary"}
              disabled={!found.items || found.items.length === 0}
              onClick={() => found.items && void run(found.items)}
            >
              {action} {found.items && found.items.length > 0 ? counted(found.items.length, ...noun) : ""}
            </Button>
          </>
        )
      }
    >
      {progress ? (
        <>
          <Outcome progress={progress} {...work} />
          {result}
        </>
      ) : (
        <div className="flex flex-col gap-3">
          <Question found={found} action={action} noun={noun} />
          {children}
        </div>
      )}
    </Dialog>
  );
}

interface Found<Item> {
  items: readonly Item[] | undefined;
  /** So far. */
  number: number;
  error: Error | undefined;
}

/** The items as they were when it was first asked. */
function useFound<Item>(source: readonly Item[] | Finder<Item>): Found<Item> {
  const [from] = useState(() => source);
  const [found, setFound] = useState<Found<Item>>(() =>
    typeof from === "function"
      ? { items: undefined, number: 0, error: undefined }
      : { items: from, number: from.length, error: undefined },
  );
  useEffect(() => {
    if (typeof from !== "function") return;
    const stop = new AbortController();
    from(
      stop.signal,
      (number) => !stop.signal.aborted && setFound({ items: undefined, number, error: undefined }),
    ).then(
      (items) => !stop.signal.aborted && setFound({ items, number: items.length, error: undefined }),
      (error: Error) => !stop.signal.aborted && setFound({ items: undefined, number: 0, error }),
    );
    return () => stop.abort();
  }, [from]);
  return found;
}

function Question<Item>({ found, action, noun }: { found: Found<Item>; action: string; noun: [string, string] }) {
  if (found.error) {
    return (
      <p role="alert" className="text-bad">
        What fits could not be read: {found.error.message}
      </p>
    );
  }
  if (!found.items) return <p role="status">Looking for what fits: {counted(found.number, ...noun)} so far.</p>;
  if (found.items.length === 0) return <p>There is none that this could be done with.</p>;
  return (
    <p className="font-medium">
      {action} {counted(found.items.length, ...noun)}?
    </p>
  );
}

const STATES: Record<BulkProgress<unknown>["state"], string> = {
  running: "Under way",
  waiting: "The broker asks to slow down",
  done: "Done",
  stopped: "Stopped",
  halted: "The broker does not answer",
};

function Outcome<Item>({
  progress,
  noun,
  done,
  skipped = "had ended before",
  nameOf,
}: { progress: BulkProgress<Item> } & Pick<BulkDialogProps<Item>, "noun" | "done" | "skipped" | "nameOf">) {
  const { state, total, failures, rest } = progress;
  const over = progress.done + progress.skipped + failures.length;
  return (
    <div className="flex flex-col gap-3">
      <BulkBar label={STATES[state]} value={over} total={total} hasFailures={failures.length > 0} />
      <p role="status">
        {STATES[state]}: {counted(progress.done, ...noun)} {done}
        {progress.skipped > 0 && `, ${count(progress.skipped)} ${skipped}`}
        {failures.length > 0 && `, ${count(failures.length)} failed`}
        {rest.length > 0 && (state === "stopped" || state === "halted") && `, ${count(rest.length)} not begun`}.
      </p>
      {failures.length > 0 && (
        <ul aria-label="Failures" className="flex max-h-60 flex-col gap-2 overflow-y-auto">
          {byReason(failures).map(({ reason, items }) => (
            <li key={reason} className="border-l-4 border-bad bg-bad-wash px-3 py-2">
              <p className="break-words">{reason}</p>
              <details className="mt-1 text-xs">
                <summary>{counted(items.length, ...noun)}</summary>
                <ul className="mt-1 font-mono break-all">
                  {items.map((item) => (
                    <li key={nameOf(item)}>{nameOf(item)}</li>
                  ))}
                </ul>
              </details>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** How far it is, as a bar and in numbers. */
export function BulkBar({
  label,
  value,
  total,
  hasFailures,
}: {
  label: string;
  value: number;
  total: number;
  hasFailures?: boolean;
}) {
  return (
    <div className="flex items-center gap-3">
      <div
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={value}
        className="h-2 flex-1 border border-edge bg-sunken"
      >
        <div
          className={`h-full transition-[width] duration-150 ${hasFailures ? "bg-warn" : "bg-ok"}`}
          style={{ width: `${total === 0 ? 100 : (100 * value) / total}%` }}
        />
      </div>
      <span className="text-xs text-soft">
        {count(value)} of {count(total)}
      </span>
    </div>
  );
}
