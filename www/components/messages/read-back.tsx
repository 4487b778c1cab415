"use client";

import { Button } from "@/components/ui/button";
import { Clock } from "@/components/ui/time";
import type { Patience } from "@/lib/broker/patience";

/** At the foot of a list that was read for a while without a row: how far back, and to read on. */
export function ReadBack({ patience, to }: { patience: Patience; to: number | undefined }) {
  if (!patience.isTired || to === undefined) return null;
  return (
    <div className="flex flex-wrap items-center gap-3 border-t border-line px-5 py-1.5 text-sm max-sm:px-4">
      <span>
        It was read back to <Clock at={to} />.
      </span>
      <Button isBusy={patience.isLoadingMore} onClick={patience.goOn}>
        Look further back
      </Button>
    </div>
  );
}
