"use client";

/** Reading the broker: every answer is cached by its address, and read again when something changes. */
import { useCallback, useEffect, useRef, useState } from "react";
import useSWR, { type SWRConfiguration } from "swr";
import { type Feed, type Page, withHead, withNext, withRead } from "@/lib/broker/feed";
import { ask, type BrokerError, type Query, search } from "@/lib/broker/transport";

export interface Reading<T> {
  /** The newest that is known; it stays while it is read again, and if that fails. */
  data: T | undefined;
  error: BrokerError | undefined;
  isLoading: boolean;
  reload: () => Promise<unknown>;
}

/** `GET path`; `null` reads nothing. */
export function useBroker<T>(path: string | null, query?: Query, options?: SWRConfiguration): Reading<T> {
  const key = path === null ? null : path + search(query);
  const { data, error, isLoading, mutate } = useSWR<T, BrokerError>(key, (address: string) => ask<T>(address), options);
  return { data, error, isLoading, reload: mutate };
}

/** `GET path` of a whole list; hosted QStash may answer with `null` if it is empty. */
export function useBrokerAll<Item>(path: string, query?: Query): Reading<Item[]> {
  const reading = useBroker<Item[] | null>(path, query);
  return { ...reading, data: reading.data === null ? NONE : reading.data };
}

const NONE: never[] = [];

/** A list with a cursor, and how its answers are read. Constant: defined outside of components. */
export interface Listing<Answer, Item> {
  path: string;
  pageOf: (answer: Answer) => Page<Item>;
  idOf: (item: Item) => string;
  /** Entries that still change, and the query that reads them by id; they are followed beyond the first page too. */
  moving?: { isMoving: (item: Item) => boolean; query: (ids: string[]) => Query };
}

export interface Listed<Item> {
  items: Item[];
  /** Whether the first page is known. */
  isKnown: boolean;
  hasMore: boolean;
  isLoadingMore: boolean;
  loadMore: () => void;
  error: BrokerError | undefined;
  reload: () => Promise<unknown>;
}

/** So many entries beyond the first page are followed; the broker takes 90 ids. */
const FOLLOWED = 80;

interface State<Item> {
  key: string;
  feed: Feed<Item> | undefined;
}

/** The newest page is kept live, older pages are read as they are reached. */
export function useBrokerList<Answer, Item>(listing: Listing<Answer, Item>, query: Query): Listed<Item> {
  const { path, pageOf, idOf, moving } = listing;
  const key = path + search(query);
  const { data, error, mutate } = useSWR<Answer, BrokerError>(key, (address: string) => ask<Answer>(address));
  const [state, setState] = useState<State<Item>>({ key, feed: undefined });
  const feed = state.key === key ? state.feed : undefined;
  const [loadingMore, setLoadingMore] = useState<string>();
  const [laterError, setLaterError] = useState<BrokerError>();
  const newest = useRef({ key, feed, query });
  newest.current = { key, feed, query };

  const change = useCallback(
    (of: string, next: (feed: Feed<Item>) => Feed<Item>) =>
      setState((former) => {
        const known = former.key === of ? former.feed : undefined;
        return newest.current.key === of ? { key: of, feed: next(known ?? { items: [], cursor: undefined }) } : former;
      }),
    [],
  );

  useEffect(() => {
    if (data === undefined) return;
    const head = pageOf(data);
    change(key, (known) => withHead(known, head, idOf));
    const inHead = new Set(head.items.map(idOf));
    const moved = (newest.current.feed?.items ?? []).filter(
      (item) => moving?.isMoving(item) && !inHead.has(idOf(item)),
    );
    if (!moving || moved.length === 0) return;
    const ids = moved.slice(0, FOLLOWED).map(idOf);
    ask<Answer>(path + search({ ...newest.current.query, count: FOLLOWED, ...moving.query(ids) })).then(
      (answer) => change(key, (known) => withRead(known, ids, pageOf(answer).items, idOf)),
      () => {},
    );
  }, [data, key, path, pageOf, idOf, moving, change]);

  const cursor = feed?.cursor;
  const loadMore = useCallback(() => {
    if (cursor === undefined || loadingMore === key) return;
    setLoadingMore(key);
    ask<Answer>(path + search({ ...newest.current.query, cursor }))
      .then(
        (answer) => {
          setLaterError(undefined);
          change(key, (known) => withNext(known, pageOf(answer), idOf));
        },
        (reason: BrokerError) => setLaterError(reason),
      )
      .finally(() => setLoadingMore(undefined));
  }, [cursor, loadingMore, key, path, pageOf, idOf, change]);

  return {
    items: feed?.items ?? [],
    isKnown: feed !== undefined,
    hasMore: cursor !== undefined,
    isLoadingMore: loadingMore === key,
    loadMore,
    error: error ?? laterError,
    reload: mutate,
  };
}
