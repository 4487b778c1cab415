/** A list that grows at both ends: new entries at its head as they come, older ones page by page. */

export interface Page<Item> {
  items: Item[];
  /** Where the next page begins; none after the last. */
  cursor: string | undefined;
}

export type Feed<Item> = Page<Item>;

type IdOf<Item> = (item: Item) => string;

/** The feed after its newest page was read again: what is known beyond that page stays, if the two still meet. */
export function withHead<Item>(feed: Feed<Item>, head: Page<Item>, idOf: IdOf<Item>): Feed<Item> {
  const inHead = new Set(head.items.map(idOf));
  const last = feed.items.findLastIndex((item) => inHead.has(idOf(item)));
  const older = last < 0 || head.cursor === undefined ? [] : feed.items.slice(last + 1);
  return { items: [...head.items, ...older], cursor: older.length > 0 ? feed.cursor : head.cursor };
}

/** The feed with its next page. */
export function withNext<Item>(feed: Feed<Item>, next: Page<Item>, idOf: IdOf<Item>): Feed<Item> {
  const known = new Set(feed.items.map(idOf));
  return { items: [...feed.items, ...next.items.filter((item) => !known.has(idOf(item)))], cursor: next.cursor };
}

/** The feed after some entries were read again by their ids; those that weren't found are gone. */
export function withRead<Item>(feed: Feed<Item>, ids: readonly string[], found: Item[], idOf: IdOf<Item>): Feed<Item> {
  const asked = new Set(ids);
  const byId = new Map(found.map((item) => [idOf(item), item]));
  const items = feed.items.flatMap((item) => {
    const id = idOf(item);
    return asked.has(id) ? (byId.get(id) ?? []) : item;
  });
  return { items: items as Item[], cursor: feed.cursor };
}
