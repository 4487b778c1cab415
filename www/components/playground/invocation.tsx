"use client";

/** One invocation: what its request carries, what the engine does with it, what it sends, and its answer. */
import type { ReactNode } from "react";
import { Payload } from "@/components/ui/payload";
import { counted } from "@/lib/format";
import { idOf, type Outline, RETURN } from "@/lib/playground/outline";
import type { HistoryEntry, Invocation, SentRequest } from "@/lib/playground/replay";

export function InvocationDetails({ invocation, outline }: { invocation: Invocation; outline: Outline }) {
  const { history, body, headers, sent, status, answer } = invocation;
  return (
    <div className="flex min-w-0 flex-col gap-5">
      <Part title="What happens">
        <p className="text-sm">{sentenceOf(invocation, outline)}</p>
      </Part>
      <Part
        title={
          history.length > 0
            ? `The request carries ${counted(history.length, "entry", "entries")}`
            : "The request carries an answer, no history"
        }
      >
        {history.length > 0 && (
          <ol className="border-b border-line text-sm">
            {history.map((entry, index) => (
              <Entry key={entry.messageId} entry={entry} index={index} />
            ))}
          </ol>
        )}
        <More title="The request as it is">
          <Payload value={{ headers, body: parsedOr(body) }} label="request" />
        </More>
      </Part>
      <Part title={sent.length === 0 ? "It sends nothing" : `It sends ${counted(sent.length, "request")}`}>
        <ul className="text-sm">
          {sent.map((request, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: they have no other name
            <Sent key={index} request={request} />
          ))}
        </ul>
      </Part>
      <Part title={`It answers with ${status}`}>
        <Payload value={answer} label="answer" />
      </Part>
    </div>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="min-w-0">
      <h3 className="mb-1.5 font-semibold">{title}</h3>
      {children}
    </section>
  );
}

function More({ title, children }: { title: ReactNode; children: ReactNode }) {
  return (
    <details className="group text-sm">
      <summary className="py-1 text-soft hover:text-ink">{title}</summary>
      <div className="pb-2">{children}</div>
    </details>
  );
}

interface StepRecord {
  stepId?: number;
  stepName?: string;
  stepType?: string;
  targetStep?: number;
}

function Entry({ entry: { value, isPlan }, index }: { entry: HistoryEntry; index: number }) {
  const step = value as StepRecord;
  const [kind, name] =
    index === 0
      ? ["Payload", ""]
      : isPlan
        ? ["Plan", `${step.stepName}: will be step ${step.targetStep}`]
        : ["Result", `${step.stepId}. ${step.stepName}`];
  return (
    <li className="border-t border-line">
      <More
        title={
          <span className="inline-grid w-[calc(100%-1.25rem)] grid-cols-[4rem_minmax(0,1fr)_auto] gap-3 align-top">
            <span className="text-faint">{kind}</span>
            <span className="truncate text-ink">{name}</span>
            <span className="text-xs text-faint">{index > 0 && step.stepType}</span>
          </span>
        }
      >
        <Payload value={value ?? ""} label={`entry ${index}`} />
      </More>
    </li>
  );
}

function Sent({ request: { method, path, headers, body } }: { request: SentRequest }) {
  return (
    <li className="border-t border-line last:border-b">
      <More
        title={
          <code className="font-mono text-xs break-all text-ink">
            {method} {path}
          </code>
        }
      >
        <Payload value={{ headers, ...(body === undefined ? {} : { body: opened(body) }) }} label="sent request" />
      </More>
    </li>
  );
}

/** What an invocation comes to, in words. */
function sentenceOf({ history, replayed, ran, at, sent, status }: Invocation, outline: Outline): string {
  if (history.length === 0)
    return "The answer of a call arrives. The function is not called: the engine makes it the step’s result, and submits that.";
  const steps = outline.groups.flatMap(({ steps: each }) => each);
  const named = (ids: number[]) =>
    ids
      .map(
        (id) =>
          `“${steps.find((step) => idOf(step) === id)?.stepName ?? outline.unfinished?.stepName ?? "the next step"}”`,
      )
      .join(", ");
  const past =
    replayed.length === 0
      ? "Nothing is remembered yet"
      : `The function begins anew and gets ${counted(replayed.length, "result")} from the history`;
  if (status !== 200) return `${past}; ${named(ran)} fails, and the broker tries again or gives the run up.`;
  if (ran.length > 0) return `${past}; ${named(ran)} runs, and its result is submitted.`;
  if (at.includes(RETURN)) return `${past}; the function returns, and the broker is told its result.`;
  const asked = at.filter((id) => id !== RETURN);
  if (asked.length > 1)
    return `${past}; ${named(asked)} are asked for at once, so each is announced as a branch of its own.`;
  if (asked.length === 1) return `${past}; ${named(asked)} is asked for, which the broker carries out.`;
  return sent.length === 0 ? `${past}; another branch is not ready, so this invocation has nothing to do.` : `${past}.`;
}

/** Bodies inside of bodies are JSON, too. */
function opened(body: unknown): unknown {
  if (!Array.isArray(body)) return body;
  return body.map((item: { body?: unknown }) =>
    typeof item.body === "string" ? { ...item, body: parsedOr(item.body) } : item,
  );
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
