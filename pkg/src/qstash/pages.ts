/** Long lists, a page at a time behind one iterator. */
import { QstashError } from "../errors.js";

interface Page<T> {
  items: T[];
  cursor?: string | undefined;
}

/** The items of all pages, each fetched when it is needed. `page` gets the cursor of the page before. */
export async function* everyItem<T>(page: (cursor: string | undefined) => Promise<Page<T>>): AsyncGenerator<T, void> {
  let cursor: string | undefined;
  for (;;) {
    const { items, cursor: next } = await page(cursor);
    yield* items;
    if (!next) return;
    if (next === cursor) throw new QstashError("the broker gives the same cursor again and again", "BrokerAnswer");
    cursor = next;
  }
}
