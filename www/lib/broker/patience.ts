"use client";

/** Lists that are narrowed here, not by the broker: a page of the log may bring none of their rows. */
import { useEffect, useRef, useState } from "react";
import type { Listed } from "@/lib/broker/use";

/** So many pages without a new row are read before somebody has to ask for more. */
const FRUITLESS_PAGES = 8;

export interface Patience {
  hasMore: boolean;
  isLoadingMore: boolean;
  loadMore: () => void;
  isStuck: boolean;
  /** Whether reading on has to be asked for, by `goOn`. */
  isTired: boolean;
  goOn: () => void;
}

/** Reads on while that brings rows. `rows` is how many of the entries are shown. */
export function usePatience<Item>(list: Listed<Item>, idOf: (item: Item) => string, rows: number): Patience {
  const { items, hasMore, isLoadingMore, loadMore, isStuck } = list;
  const last = items.at(-1);
  const tail = last === undefined ? "" : idOf(last);
  const [fruitless, setFruitless] = useState(0);
  const former = useRef({ tail, rows });
  useEffect(() => {
    // Another list.
    if (tail === "") setFruitless(0);
    else if (former.current.tail !== tail) {
      const isFruitless = rows === 0 || rows <= former.current.rows;
      setFruitless((pages) => (isFruitless ? pages + 1 : 0));
    }
    former.current = { tail, rows };
  }, [tail, rows]);
  const isTired = hasMore && fruitless >= FRUITLESS_PAGES;
  // A table asks for its next page; without rows there is none.
  useEffect(() => {
    if (rows === 0 && hasMore && !isLoadingMore && !isStuck && !isTired) loadMore();
  }, [rows, hasMore, isLoadingMore, isStuck, isTired, loadMore]);
  return {
    hasMore: hasMore && !isTired,
    isLoadingMore,
    loadMore,
    isStuck,
    isTired,
    goOn: () => {
      setFruitless(0);
      loadMore();
    },
  };
}
