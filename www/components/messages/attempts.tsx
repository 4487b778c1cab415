"use client";

/** The deliveries of a message: when each was, how long it took, and what was answered. */
import clsx from "clsx";
import { useState } from "react";
import { AnswerStatus, Body, ErrorTold, errorIn, Headers } from "@/components/messages/exchange";
import { Button } from "@/components/ui/button";
import { Status } from "@/components/ui/status";
import { Ago, Clock, Elapsed, Moment, useNow } from "@/components/ui/time";
import type { Attempt } from "@/lib/broker/messages";
import { duration } from "@/lib/format";

const SIGNS: Record<Attempt["outcome"], Parameters<typeof Status>[0]> = {
  underway: { tone: "run", shape: "half", children: "Under way" },
  delivered: { tone: "ok", shape: "dot", children: "Delivered" },
  failed: { tone: "bad", shape: "cross", children: "Failed" },
  canceled: { tone: "idle", shape: "bar", children: "Canceled" },
};

const BARS: Record<Attempt["outcome"], string> = {
  underway: "bg-run",
  delivered: "bg-ok",
  failed: "bg-bad",
  canceled: "bg-edge",
};

export function Attempts({
  attempts,
  createdAt,
  dueAt,
}: {
  attempts: readonly Attempt[];
  createdAt: number | undefined;
  dueAt: number | undefined;
}) {
  if (attempts.length === 0) {
    return (
      <p className="text-sm text-soft">
        None yet.{" "}
        {dueAt !== undefined && (
          <>
            The first is due <Ago at={dueAt} />.
          </>
        )}
      </p>
    );
  }
  return (
    <div className="flex flex-col gap-3">
      <Track attempts={attempts} createdAt={createdAt} />
      <ol className="border-b border-line">
        {attempts.map((attempt, index) => (
          <Row
            key={`${attempt.number}-${attempt.startedAt ?? index}`}
            attempt={attempt}
            isLast={index === attempts.length - 1}
          />
        ))}
      </ol>
      {dueAt !== undefined && (
        <p className="text-sm text-soft">
          The next is due <Ago at={dueAt} />, at <Clock at={dueAt} />.
        </p>
      )}
    </div>
  );
}

/** All of them on one line of time: what is between them is waiting. */
function Track({ attempts, createdAt }: { attempts: readonly Attempt[]; createdAt: number | undefined }) {
  const now = useNow();
  const times = attempts.flatMap(({ startedAt, endedAt }) => [startedAt, endedAt]).filter((time) => time !== undefined);
  const from = Math.min(createdAt ?? Number.POSITIVE_INFINITY, ...times);
  const isOpen = attempts.at(-1)?.outcome === "underway";
  const to = Math.max(...times, isOpen && now > 0 ? now : 0);
  const span = Math.max(1, to - from);
  const place = (time: number) => `${(100 * (time - from)) / span}%`;
  return (
    <div className="pt-1">
      <div
        role="img"
        aria-label={`${attempts.length} attempts in ${duration(to - from)}`}
        className="relative h-4 overflow-hidden border-x border-edge"
      >
        <div className="absolute inset-x-0 top-1/2 h-px bg-line" />
        {attempts.map((attempt, index) => {
          const start = attempt.startedAt ?? attempt.endedAt;
          if (start === undefined) return null;
          const end = attempt.endedAt ?? to;
          return (
            <div
              // biome-ignore lint/suspicious/noArrayIndexKey: attempts are only appended
              key={index}
              className={clsx("absolute inset-y-0.5 min-w-1 rounded-sm", BARS[attempt.outcome])}
              style={{ left: `min(${place(start)}, 100% - 4px)`, width: `${(100 * (end - start)) / span}%` }}
            />
          );
        })}
      </div>
      <div className="mt-1 flex justify-between text-xs text-faint">
        <Clock at={from} />
        <span>{duration(to - from)}</span>
        <Clock at={to} />
      </div>
    </div>
  );
}

function Row({ attempt, isLast }: { attempt: Attempt; isLast: boolean }) {
  const { number, startedAt, endedAt, outcome, responseStatus, answer, error, nextDeliveryTime } = attempt;
  const [choice, setChoice] = useState<boolean>();
  const isOpen = choice ?? (isLast && outcome === "failed");
  const told = errorIn(answer?.responseBody);
  const isAnswered =
    answer !== undefined &&
    (answer.responseHeaders !== undefined ||
      answer.responseBody !== undefined ||
      answer.responseBodyBase64 !== undefined);
  return (
    <li className="border-t border-line py-2 text-sm">
      <div className="flex flex-wrap items-center gap-x-5 gap-y-1">
        <span className="w-6 text-faint">{number}</span>
        <span className="w-24">
          <Status {...SIGNS[outcome]} />
        </span>
        <span className="w-16">
          <AnswerStatus status={responseStatus} />
        </span>
        <span className="w-20 text-right">
          {startedAt !== undefined && (endedAt !== undefined || outcome === "underway") ? (
            <Elapsed from={startedAt} to={endedAt} />
          ) : (
            "–"
          )}
        </span>
        <span className="text-faint">
          {startedAt !== undefined ? <Moment at={startedAt} /> : endedAt !== undefined && <Moment at={endedAt} />}
        </span>
        {nextDeliveryTime !== undefined && endedAt !== undefined && (
          <span className="text-faint">then a wait of {duration(nextDeliveryTime - endedAt)}</span>
        )}
        {(isAnswered || error !== undefined) && (
          <Button kind="quiet" className="ml-auto h-7!" aria-expanded={isOpen} onClick={() => setChoice(!isOpen)}>
            {isOpen ? "Hide the answer" : "Show the answer"}
          </Button>
        )}
      </div>
      {isOpen && (
        <div className="mt-2 flex flex-col gap-3 pl-11 max-sm:pl-0">
          {(told || error !== undefined) && outcome === "failed" && (
            <ErrorTold error={told?.message ?? error ?? ""} name={told?.name} stack={told?.stack} />
          )}
          {isAnswered && (
            <>
              <div>
                <h3 className="mb-1 text-xs text-faint">Body</h3>
                <Body text={answer.responseBody} base64={answer.responseBodyBase64} label={`Answer ${number}`} />
              </div>
              <div>
                <h3 className="mb-1 text-xs text-faint">Headers</h3>
                <Headers headers={answer.responseHeaders} label={`Headers of answer ${number}`} />
              </div>
            </>
          )}
        </div>
      )}
    </li>
  );
}
