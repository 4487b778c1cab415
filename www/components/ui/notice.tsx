"use client";

/** What stands in place of data: there is none, it is coming, or it can't be had. */
import { RefreshCw, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "@/components/ui/button";
import type { BrokerError } from "@/lib/broker/transport";

/** Nothing there: why, and what to do next. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="mx-5 border-t border-line py-10 max-sm:mx-4">
      <p className="font-medium">{title}</p>
      {children && <div className="mt-1 max-w-prose text-sm text-soft">{children}</div>}
      {action && <div className="mt-4 flex flex-wrap gap-2">{action}</div>}
    </div>
  );
}

/** It can't be had: what was said, and to try again. */
export function Failure({
  error,
  retry,
  what = "This",
}: {
  error: BrokerError | Error;
  retry?: () => unknown;
  what?: string;
}) {
  const status = "status" in error && error.status > 0 ? ` (${error.status})` : "";
  return (
    <div
      role="alert"
      className="mx-5 flex flex-wrap items-start gap-3 border-l-4 border-bad bg-bad-wash px-4 py-3 text-sm max-sm:mx-4"
    >
      <TriangleAlert size={18} aria-hidden className="mt-0.5 shrink-0 text-bad" />
      <div className="min-w-0 flex-1">
        <p className="font-medium">{what} can’t be shown</p>
        <p className="break-words">
          {error.message}
          {status}
        </p>
      </div>
      {retry && (
        <Button icon={RefreshCw} onClick={() => void retry()}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** Rows that are coming, as tall as those that come. */
export function SkeletonRows({ rows = 8, label = "Loading" }: { rows?: number; label?: string }) {
  return (
    <div role="status" aria-label={label} className="px-5 max-sm:px-4">
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike
        <div key={row} className="flex h-10 items-center gap-6 border-t border-line">
          <span className="skeleton h-3 w-20" />
          <span className="skeleton h-3 flex-1" style={{ maxWidth: `${18 + ((row * 7) % 5) * 4}rem` }} />
          <span className="skeleton h-3 w-16 max-sm:hidden" />
        </div>
      ))}
    </div>
  );
}

export function SkeletonBlock({ height, label = "Loading" }: { height: string; label?: string }) {
  return <div role="status" aria-label={label} className="skeleton w-full" style={{ height }} />;
}
