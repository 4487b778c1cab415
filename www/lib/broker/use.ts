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
  /** Whether the next page could not be read: it is read again if somebody asks, or once the broker answers. */
  isStuck: boolean;
  error: BrokerError | undefined;
  reload: () => Promise<unknown>;
  /** Leaves out entries that are gone. */
  forget: (ids: readonly string[]) => void;
}

/** So many entries beyond the first page are followed at once; the broker takes 90 ids. */
const FOLLOWED = 80;

/** All that is known of one list; another query begins anew. */
interface State<Item> {
  key: string;
  feed: Feed<Item> | undefined;
  isLoadingMore: boolean;
  /** Why the next page could not be read. */
  failure: BrokerError | undefined;
}

const begun = (key: string): State<never> => ({ key, feed: undefined, isLoadingMore: false, failure: undefined });

/** The newest page is kept live, older pages are read as they are reached. */
export function useBrokerList<Answer, Item>(listing: Listing<Answer, Item>, query: Query): Listed<Item> {
  const { path, pageOf, idOf, moving } = listing;
  const key = path + search(query);
  const { data, error, mutate } = useSWR<Answer, BrokerError>(key, (address: string) => ask<Answer>(address));
  const [stored, setStored] = useState<State<Item>>(begun(key));
  const state: State<Item> = stored.key === key ? stored : begun(key);
  const newest = useRef({ key, query, items: NONE as Item[] });
  newest.current = { key, query, items: state.feed?.items ?? NONE };
  /** The reads of moving entries: how many were begun, and which entry comes next. */
  const reads = useRef({ count: 0, next: 0 });

  // An answer to another query is not of this list any more.
  const change = useCallback((of: string, next: (state: State<Item>) => Partial<State<Item>>) => {
    setStored((former) => {
      if (newest.current.key !== of) return former;
      const known = former.key === of ? former : begun(of);
      return { ...known, ...next(known) };
    });
  }, []);

  useEffect(() => {
    if (data === undefined) return;
    const head = pageOf(data);
    change(key, ({ feed = EMPTY }) => ({ feed: withHead(feed, head, idOf), failure: undefined }));
    if (!moving) return;
    const inHead = new Set(head.items.map(idOf));
    const moved = newest.current.items.filter((item) => moving.isMoving(item) && !inHead.has(idOf(item)));
    if (moved.length === 0) return;
    // Of more than can be asked for, each has its turn.
    const turn = reads.current;
    const first = turn.next < moved.length ? turn.next : 0;
    const ids = moved.slice(first, first + FOLLOWED).map(idOf);
    turn.next = first + FOLLOWED;
    turn.count += 1;
    const { count } = turn;
    ask<Answer>(path + search({ ...newest.current.query, count: FOLLOWED, ...moving.query(ids) })).then(
      (answer) => {
        // A later read knows better.
        if (count !== turn.count) return;
        change(key, ({ feed }) => (feed ? { feed: withRead(feed, ids, pageOf(answer).items, idOf) } : {}));
      },
      () => {},
    );
  }, [data, key, path, pageOf, idOf, moving, change]);

  const cursor = state.feed?.cursor;
  const { isLoadingMore } = state;
  const loadMore = useCallback(() => {
    if (cursor === undefined || isLoadingMore) return;
    change(key, () => ({ isLoadingMore: true, failure: undefined }));
    ask<Answer>(path + search({ ...newest.current.query, cursor })).then(
      (answer) =>
        change(key, ({ feed }) => ({
          isLoadingMore: false,
          // Meanwhile the list may have begun anew at its head.
          ...(feed?.cursor === cursor ? { feed: withNext(feed, pageOf(answer), idOf) } : {}),
        })),
      (failure: BrokerError) => change(key, () => ({ isLoadingMore: false, failure })),
    );
  }, [cursor, isLoadingMore, key, path, pageOf, idOf, change]);

  return {
    items: newest.current.items,
    isKnown: state.feed !== undefined,
    hasMore: cursor !== undefined,
    isLoadingMore,
    loadMore,
    isStuck: state.failure !== undefined,
    error: error ?? state.failure,
    forget: useCallback(
      (ids: readonly string[]) => change(key, ({ feed }) => (feed ? { feed: withRead(feed, ids, [], idOf) } : {})),
      [key, idOf, change],
    ),
    reload: useCallback(() => {
      change(key, () => ({ failure: undefined }));
      return mutate();
    }, [key, change, mutate]),
  };
}

const EMPTY: Feed<never> = { items: [], cursor: undefined };
