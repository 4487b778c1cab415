"use client";

import clsx from "clsx";
import { ChevronFirst, ChevronLast, ChevronLeft, ChevronRight } from "lucide-react";
import { type KeyboardEvent, useEffect, useRef } from "react";
import { InvocationDetails } from "@/components/playground/invocation";
import { IconButton } from "@/components/ui/button";
import { Status } from "@/components/ui/status";
import { codeOf, type Line } from "@/lib/playground/outline";
import type { Invocation, Replay } from "@/lib/playground/replay";

export function Stepper({ replay, at, onMove }: { replay: Replay; at: number; onMove: (at: number) => void }) {
  const { invocations, outline, notes } = replay;
  const last = invocations.length - 1;
  const current = invocations[at];
  const move = (to: number) => onMove(Math.min(last, Math.max(0, to)));
  const press = (event: KeyboardEvent) => {
    if ((event.target as HTMLElement).closest("input, textarea, select, pre")) return;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    move(to);
  };
  if (!current) return null;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys that its buttons have, too
    <div onKeyDown={press} data-stepper className="border-t border-line pt-3">
      <div className="mb-3 flex flex-wrap items-center gap-1">
        <IconButton
          icon={ChevronFirst}
          kind="plain"
          label="First invocation (Home)"
          disabled={at === 0}
          onClick={() => move(0)}
        />
        <IconButton
          icon={ChevronLeft}
          kind="plain"
          label="Back (left arrow)"
          disabled={at === 0}
          onClick={() => move(at - 1)}
        />
        <IconButton
          icon={ChevronRight}
          kind="plain"
          label="Forth (right arrow)"
          disabled={at === last}
          onClick={() => move(at + 1)}
        />
        <IconButton
          icon={ChevronLast}
          kind="plain"
          label="Last invocation (End)"
          disabled={at === last}
          onClick={() => move(last)}
        />
        <p aria-live="polite" className="ml-2 text-sm">
          <span className="font-medium" data-at={at}>
            Invocation {at + 1} of {invocations.length}
          </span>
          <span className="text-soft">: {current.cause}</span>
        </p>
      </div>
      {notes.map((note) => (
        <p key={note} className="mb-2 text-xs text-warn">
          {note}
        </p>
      ))}
      <div className="grid gap-x-8 gap-y-6 lg:grid-cols-[minmax(0,30rem)_minmax(0,1fr)]">
        <div className="min-w-0">
          <Code lines={codeOf(outline)} current={current} />
          <Invocations invocations={invocations} at={at} onMove={move} />
        </div>
        <InvocationDetails invocation={current} outline={outline} />
      </div>
    </div>
  );
}

const SIGNS = {
  replayed: { tone: "ok", shape: "dot", children: "from history" },
  ran: { tone: "run", shape: "half", children: "runs now" },
  sent: { tone: "run", shape: "diamond", children: "sent" },
} as const;

/** What became of a step in an invocation. */
function signOf(id: number, { replayed, ran, at }: Invocation): keyof typeof SIGNS | undefined {
  if (replayed.includes(id)) return "replayed";
  if (ran.includes(id)) return "ran";
  return at.includes(id) ? "sent" : undefined;
}

/** The function, with a mark at what this invocation reaches. */
function Code({ lines, current }: { lines: Line[]; current: Invocation }) {
  return (
    <ol
      aria-label="The function"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: for who scrolls by keyboard
      tabIndex={0}
      className="overflow-x-auto rounded-md border border-line bg-sunken py-2 font-mono text-xs"
    >
      {lines.map(({ code, stepId }, index) => {
        const sign = stepId === undefined ? undefined : signOf(stepId, current);
        const isHere = sign === "ran" || sign === "sent";
        return (
          <li
            // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name
            key={index}
            aria-current={isHere ? "step" : undefined}
            className={clsx(
              "flex min-w-max items-center gap-3 border-l-4 px-2 leading-6",
              isHere ? "border-marker bg-run-wash text-ink" : "border-transparent",
              !isHere && (stepId === undefined || sign ? "text-soft" : "text-faint"),
            )}
          >
            <span className="w-24 shrink-0 font-sans">{sign && <Status {...SIGNS[sign]} />}</span>
            <code className="whitespace-pre">{code}</code>
          </li>
        );
      })}
    </ol>
  );
}

function Invocations({
  invocations,
  at,
  onMove,
}: {
  invocations: Invocation[];
  at: number;
  onMove: (at: number) => void;
}) {
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    const item = list.current?.children[at] as HTMLElement | undefined;
    const box = list.current;
    if (!item || !box) return;
    // Not `scrollIntoView`: that moves the page, too.
    if (item.offsetTop < box.scrollTop) box.scrollTop = item.offsetTop;
    else if (item.offsetTop + item.offsetHeight > box.scrollTop + box.clientHeight)
      box.scrollTop = item.offsetTop + item.offsetHeight - box.clientHeight;
  }, [at]);
  return (
    <>
      <h3 className="mt-4 mb-1 text-xs font-medium text-faint">Invocations</h3>
      <ol ref={list} className="relative max-h-72 overflow-y-auto border-y border-line text-sm">
        {invocations.map(({ cause, status }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: they are known by their number
          <li key={index} className="border-line not-first:border-t">
            <button
              type="button"
              aria-current={index === at ? "step" : undefined}
              onClick={() => onMove(index)}
              className={clsx(
                "flex w-full gap-3 px-2 py-1 text-left hover:bg-sunken",
                index === at ? "bg-sunken font-medium" : "text-soft",
              )}
            >
              <span className="w-6 shrink-0 text-right text-faint">{index + 1}</span>
              <span className="min-w-0 flex-1 truncate">{cause}</span>
              <span className={clsx("shrink-0", status === 200 ? "text-faint" : "text-bad")}>{status}</span>
            </button>
          </li>
        ))}
      </ol>
    </>
  );
}
