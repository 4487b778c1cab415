"use client";

/** Rows that were picked. */
import { useCallback, useMemo, useState } from "react";
import type { TableProps } from "@/components/ui/table";

export interface Selection<Item> {
  /** Those of the picked that are still listed. */
  picked: Item[];
  clear: () => void;
  /** What a `Table` takes. */
  table: NonNullable<TableProps<Item>["selection"]>;
}

/** What is no longer listed is no longer picked. `idOf` is constant. */
export function useSelection<Item>(items: readonly Item[], idOf: (item: Item) => string): Selection<Item> {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const picked = useMemo(() => items.filter((item) => ids.has(idOf(item))), [items, ids, idOf]);
  const toggle = useCallback((id: string, isPicked: boolean) => {
    setIds((former) => {
      const next = new Set(former);
      if (isPicked) next.add(id);
      else next.delete(id);
      return next;
    });
  }, []);
  const toggleAll = useCallback((isPicked: boolean) => setIds(new Set(isPicked ? items.map(idOf) : [])), [items, idOf]);
  return { picked, clear: useCallback(() => setIds(new Set()), []), table: { ids, toggle, toggleAll } };
}
