"use client";

import type { ReactNode } from "react";
import { Button } from "@/components/ui/button";
import { counted } from "@/lib/format";

/** Above a list: how many rows are picked, and what can be done with them. */
export function PickedBar({
  number,
  noun,
  onClear,
  children,
}: {
  number: number;
  noun: [string, string];
  onClear: () => void;
  children: ReactNode;
}) {
  if (number === 0) return null;
  return (
    <div
      role="toolbar"
      aria-label="Picked"
      className="mx-5 mb-3 flex flex-wrap items-center gap-2 border-l-4 border-marker bg-sunken py-1 pr-1 pl-3 text-sm max-sm:mx-4"
    >
      <span role="status" className="mr-auto">
        {counted(number, ...noun)} picked
      </span>
      {children}
      <Button kind="quiet" onClick={onClear}>
        Clear
      </Button>
    </div>
  );
}
