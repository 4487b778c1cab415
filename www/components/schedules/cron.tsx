"use client";

/** A cron expression in words, and when it comes; what reads it is loaded when it is first shown. */
import { useEffect, useState } from "react";
import { useNow } from "@/components/ui/time";
import type { CronExpression } from "@/lib/cron";
import { relative } from "@/lib/format";
import { zoneHere } from "@/lib/zone";

const SHOWN = 5;
const TYPING_MS = 200;

/** Of an expression: what it says, or what is wrong with it; neither while it is read. */
export interface CronReading {
  expression?: CronExpression;
  error?: string;
}

/** Reads an expression; `timeZone` counts unless it begins with `CRON_TZ=`. */
export function useCron(cron: string, timeZone?: string): CronReading {
  const [reading, setReading] = useState<CronReading>({});
  useEffect(() => {
    let isCurrent = true;
    const read = async () => {
      const { parseCron } = await import("@/lib/cron");
      try {
        const expression = parseCron(cron, timeZone || undefined);
        if (isCurrent) setReading({ expression });
      } catch (error) {
        if (isCurrent) setReading({ error: (error as Error).message });
      }
    };
    const timer = setTimeout(
      () => read().catch(() => isCurrent && setReading({ error: "What reads cron expressions could not be loaded." })),
      TYPING_MS,
    );
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [cron, timeZone]);
  return cron.trim() === "" ? {} : reading;
}

/** The expression in words, with itself as the hint; itself until it was read, and if it can't be. */
export function CronSentence({ cron }: { cron: string }) {
  const { expression } = useCron(cron);
  if (!expression?.sentence) return <code className="font-mono text-xs">{cron}</code>;
  return (
    <span title={cron}>
      {expression.sentence}
      {expression.timeZone !== "UTC" && <span className="text-faint"> {expression.timeZone}</span>}
    </span>
  );
}

export interface CronPreviewProps {
  /** Five fields or `@daily`, perhaps after `CRON_TZ=<zone> `. */
  cron: string;
  /** IANA name; UTC if absent. */
  timeZone?: string;
}

/** The sentence, and the next times in the zone of the expression and of this browser. */
export function CronPreview({ cron, timeZone }: CronPreviewProps) {
  const { expression, error } = useCron(cron, timeZone);
  const now = useNow();
  // One that is due goes, and the next comes up.
  const minute = Math.floor(now / 60_000) * 60_000;
  if (error) {
    return (
      <p role="status" className="text-sm text-bad">
        {error}
      </p>
    );
  }
  if (!expression || now === 0)
    return <p className="text-sm text-faint">{cron.trim() === "" ? "Nothing to show yet." : "…"}</p>;
  const here = zoneHere();
  const isElsewhere = here !== expression.timeZone;
  const times = expression.next(minute, SHOWN);
  return (
    <div className="overflow-x-auto text-sm" data-cron-preview>
      <p role="status">{expression.sentence}</p>
      <table className="mt-2 w-full max-w-xl text-left tabular-nums">
        <caption className="sr-only">The next times</caption>
        <thead className="text-xs text-faint">
          <tr>
            <th className="border-b border-line py-1 pr-4 font-medium">{expression.timeZone}</th>
            {isElsewhere && <th className="border-b border-line py-1 pr-4 font-medium">{here} (here)</th>}
            <th className="border-b border-line py-1 text-right font-medium max-sm:hidden">From now</th>
          </tr>
        </thead>
        <tbody>
          {times.map((at) => (
            <tr key={at}>
              <td className="py-0.5 pr-4 whitespace-nowrap">
                <time dateTime={new Date(at).toISOString()}>{inZone(at, expression.timeZone)}</time>
              </td>
              {isElsewhere && <td className="py-0.5 pr-4 whitespace-nowrap text-soft">{inZone(at, here)}</td>}
              <td className="py-0.5 text-right whitespace-nowrap text-faint max-sm:hidden">
                {at > now ? relative(at, now) : "now"}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** With the year unless it is this one. */
const inZone = (at: number, timeZone: string): string =>
  new Intl.DateTimeFormat(undefined, {
    timeZone,
    weekday: "short",
    day: "2-digit",
    month: "short",
    ...(new Date(at).getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" }),
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(at);
