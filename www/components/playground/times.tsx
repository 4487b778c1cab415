"use client";

/** Cron expressions, retry delays and durations, as the broker reads them. */
import { parseAsInteger, parseAsString, useQueryStates } from "nuqs";
import { useEffect, useState } from "react";
import { CronPreview } from "@/components/schedules/cron";
import { TextField } from "@/components/ui/field";
import { duration } from "@/lib/format";

const DEFAULTS = {
  cron: parseAsString.withDefault("0 9 * * 1-5"),
  zone: parseAsString.withDefault(""),
  delay: parseAsString.withDefault("1000 * pow(2, retried)"),
  retries: parseAsInteger.withDefault(8),
  duration: parseAsString.withDefault("3d2h"),
};

export function Times() {
  const [{ cron, zone, delay, retries, duration: text }, set] = useQueryStates(DEFAULTS);
  return (
    <div className="grid gap-x-8 gap-y-8 lg:grid-cols-2">
      <section className="flex min-w-0 flex-col gap-3">
        <h2 className="font-semibold">Cron expression</h2>
        <div className="grid gap-3 sm:grid-cols-2">
          <TextField
            label="Expression"
            hint="Five fields, or @daily and the like."
            value={cron}
            onChange={({ target }) => void set({ cron: target.value })}
            spellCheck={false}
            className="font-mono"
          />
          <TextField
            label="Time zone"
            hint="IANA, such as Europe/Berlin; UTC if empty."
            value={zone}
            onChange={({ target }) => void set({ zone: target.value || null })}
            spellCheck={false}
          />
        </div>
        <CronPreview cron={cron} {...(zone ? { timeZone: zone } : {})} />
        <h2 className="mt-4 font-semibold">Duration</h2>
        <TextField
          label="Duration"
          hint="Whole numbers with s, m, h, d, w, mo, y: as in Upstash-Delay, timeouts and sleeps."
          value={text}
          onChange={({ target }) => void set({ duration: target.value })}
          spellCheck={false}
          className="max-w-64 font-mono"
        />
        <Duration text={text} />
      </section>
      <section className="flex min-w-0 flex-col gap-3">
        <h2 className="font-semibold">Retry delay</h2>
        <div className="grid gap-3 sm:grid-cols-[minmax(0,1fr)_6rem]">
          <TextField
            label="Expression"
            hint="Milliseconds, with “retried” (0 before the first retry), + - * /, pow sqrt abs exp floor ceil round min max. Empty: the broker’s own."
            value={delay}
            onChange={({ target }) => void set({ delay: target.value })}
            spellCheck={false}
            className="font-mono"
          />
          <TextField
            label="Retries"
            type="number"
            min={1}
            max={50}
            value={retries}
            onChange={({ target }) =>
              void set({ retries: Math.min(50, Math.max(1, Math.round(Number(target.value)) || 1)) })
            }
          />
        </div>
        <Delays expression={delay} retries={retries} />
      </section>
    </div>
  );
}

/** Asks the core, again when the question changes; the former answer stays meanwhile. */
function useAsked<T>(ask: () => Promise<T>, question: string): { value?: T; error?: string } {
  const [answer, setAnswer] = useState<{ value?: T; error?: string }>({});
  // biome-ignore lint/correctness/useExhaustiveDependencies: the question says what is asked
  useEffect(() => {
    let isCurrent = true;
    ask().then(
      (value) => isCurrent && setAnswer({ value }),
      (error: Error) => isCurrent && setAnswer({ error: error.message }),
    );
    return () => {
      isCurrent = false;
    };
  }, [question]);
  return answer;
}

function Duration({ text }: { text: string }) {
  const { value, error } = useAsked(async () => {
    const { parseDuration } = await import("@repo/orchestration/client");
    return parseDuration(text);
  }, text);
  return (
    <p role="status" className={error ? "text-sm text-bad" : "text-sm"} data-duration>
      {error ?? (value === undefined ? "…" : `${(value / 1_000).toLocaleString()} seconds: ${duration(value)}`)}
    </p>
  );
}

function Delays({ expression, retries }: { expression: string; retries: number }) {
  const { value, error } = useAsked(async () => {
    const { retryDelays } = await import("@repo/orchestration/client");
    return retryDelays(expression.trim() === "" ? undefined : expression, retries);
  }, `${retries} ${expression}`);
  if (error) return <Mistake expression={expression} error={error} />;
  const delays = value ?? [];
  const most = Math.max(1, ...delays);
  const sums = delays.map((_, index) => delays.slice(0, index + 1).reduce((sum, each) => sum + each, 0));
  return (
    <table className="w-full text-left text-sm" data-delays>
      <caption className="sr-only">The delay before each retry</caption>
      <thead className="text-xs text-faint">
        <tr>
          <th className="border-b border-edge py-1 pr-4 font-medium">retried</th>
          <th className="border-b border-edge py-1 pr-4 text-right font-medium">Delay</th>
          <th className="w-1/2 border-b border-edge py-1 font-medium">
            <span className="sr-only">As a bar</span>
          </th>
          <th className="border-b border-edge py-1 pl-4 text-right font-medium">After the first try</th>
        </tr>
      </thead>
      <tbody>
        {delays.map((delay, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the index is what they are known by
          <tr key={index} className="border-b border-line">
            <td className="py-1 pr-4">{index}</td>
            <td className="py-1 pr-4 text-right whitespace-nowrap" title={`${delay} ms`}>
              {duration(delay)}
              {delay === DAY_MS && <span className="text-xs text-faint"> (most)</span>}
            </td>
            <td className="py-1">
              <div aria-hidden className="h-3 min-w-px bg-edge" style={{ width: `${(100 * delay) / most}%` }} />
            </td>
            <td className="py-1 pl-4 text-right whitespace-nowrap text-soft">{duration(sums[index] ?? 0)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The broker waits no longer. */
const DAY_MS = 86_400_000;

/** The expression with a mark below the character that the error names. */
function Mistake({ expression, error }: { expression: string; error: string }) {
  const place = /at character (\d+)/.exec(error)?.[1];
  return (
    <div role="alert" className="border-l-4 border-bad bg-bad-wash px-3 py-2 text-sm">
      {place && (
        <pre className="overflow-x-auto font-mono text-xs leading-4" aria-hidden>
          {expression}
          {"\n"}
          {" ".repeat(Number(place) - 1)}^
        </pre>
      )}
      <p>{error}</p>
    </div>
  );
}
