/** All entries of a list, page by page: for actions on everything that fits a filter. */
import { ask, type Query } from "@/lib/broker/transport";
import type { Listing } from "@/lib/broker/use";

/** Reads a list to its end. `tell` hears how many were found so far. @throws {BrokerError}, or an `AbortError` after the signal */
export async function gather<Answer, Item>(
  { path, pageOf, idOf }: Listing<Answer, Item>,
  query: Query,
  {
    signal,
    tell,
    keep = () => true,
  }: { signal: AbortSignal; tell?: (found: number) => void; keep?: (item: Item) => boolean },
): Promise<Item[]> {
  const found = new Map<string, Item>();
  let cursor: string | undefined;
  do {
    const page = pageOf(await ask<Answer>(path, { query: { ...query, cursor }, signal }));
    for (const item of page.items) if (keep(item) && !found.has(idOf(item))) found.set(idOf(item), item);
    tell?.(found.size);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return [...found.values()];
}
