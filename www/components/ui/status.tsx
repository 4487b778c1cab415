/** A state is told by a shape, a colour and a word, never by one alone. */
import clsx from "clsx";
import type { ReactNode } from "react";
import type { MessageState, RunState } from "@/lib/broker/types";

export type Tone = "run" | "ok" | "bad" | "warn" | "idle";
export type Shape = "dot" | "ring" | "half" | "square" | "cross" | "bar" | "diamond";

const TEXT: Record<Tone, string> = {
  run: "text-run",
  ok: "text-ok",
  bad: "text-bad",
  warn: "text-warn",
  idle: "text-faint",
};

const SHAPES: Record<Shape, ReactNode> = {
  dot: <circle cx="5" cy="5" r="4" />,
  ring: <circle cx="5" cy="5" r="3.25" fill="none" stroke="currentColor" strokeWidth="1.5" />,
  half: (
    <>
      <circle cx="5" cy="5" r="3.25" fill="none" stroke="currentColor" strokeWidth="1.5" />
      <path d="M5 1.75a3.25 3.25 0 0 1 0 6.5z" />
    </>
  ),
  square: <rect x="1.25" y="1.25" width="7.5" height="7.5" />,
  cross: <path d="M2 2l6 6M8 2l-6 6" stroke="currentColor" strokeWidth="2" />,
  bar: <path d="M1.5 5h7" stroke="currentColor" strokeWidth="2.5" />,
  diamond: <path d="M5 .5 9.5 5 5 9.5.5 5z" />,
};

export function Status({
  tone,
  shape,
  children,
  className,
}: {
  tone: Tone;
  shape: Shape;
  children: ReactNode;
  className?: string;
}) {
  return (
    <span className={clsx("inline-flex items-center gap-1.5 whitespace-nowrap", TEXT[tone], className)}>
      <svg width="10" height="10" viewBox="0 0 10 10" fill="currentColor" aria-hidden className="shrink-0">
        {SHAPES[shape]}
      </svg>
      <span>{children}</span>
    </span>
  );
}

type Sign = [tone: Tone, shape: Shape, word: string];

export const RUN_SIGNS: Record<RunState, Sign> = {
  RUN_STARTED: ["run", "half", "Running"],
  RUN_SUCCESS: ["ok", "dot", "Succeeded"],
  RUN_FAILED: ["bad", "cross", "Failed"],
  RUN_CANCELED: ["idle", "bar", "Canceled"],
};

export function RunStatus({ state }: { state: RunState }) {
  const [tone, shape, word] = RUN_SIGNS[state] ?? ["idle", "ring", state];
  return (
    <Status tone={tone} shape={shape}>
      {word}
    </Status>
  );
}

export const MESSAGE_SIGNS: Record<MessageState, Sign> = {
  CREATED: ["idle", "ring", "Created"],
  ACTIVE: ["run", "half", "Under way"],
  RETRY: ["warn", "diamond", "Will retry"],
  ERROR: ["warn", "cross", "Attempt failed"],
  IN_PROGRESS: ["run", "half", "In progress"],
  DELIVERED: ["ok", "dot", "Delivered"],
  FAILED: ["bad", "cross", "Failed"],
  CANCEL_REQUESTED: ["idle", "ring", "Cancel requested"],
  CANCELED: ["idle", "bar", "Canceled"],
};

export function MessageStatus({ state }: { state: MessageState }) {
  const [tone, shape, word] = MESSAGE_SIGNS[state] ?? ["idle", "ring", state];
  return (
    <Status tone={tone} shape={shape}>
      {word}
    </Status>
  );
}
