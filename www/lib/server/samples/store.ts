/**
 * What the services of the samples keep: in the memory of this process, shared by all routes, gone with a restart. It stands
 * for the databases of real services; a run that was under way goes on after a restart and finds an empty ledger.
 */
import "server-only";

export interface Entry {
  id: number;
  at: number;
  workflowRunId: string;
  kind: string;
  text: string;
  amount?: number;
}

export interface StoredFile {
  name: string;
  workflowRunId: string;
  type: string;
  content: Uint8Array<ArrayBuffer>;
}

export interface Article {
  price: number;
  /** How many there are at first. */
  stock: number;
}

/** What can be reserved. */
export const ARTICLES: Readonly<Record<string, Article>> = {
  lamp: { price: 40, stock: 200 },
  chair: { price: 90, stock: 80 },
  desk: { price: 250, stock: 20 },
  flight: { price: 180, stock: 400 },
  hotel: { price: 110, stock: 200 },
  car: { price: 60, stock: 3 },
};

const MAX_ENTRIES = 2_000;
const MAX_FILES = 200;

class Store {
  /** By what makes a line one and the same, the oldest first. */
  readonly #entries = new Map<string, Entry>();
  readonly #reserved = new Map<string, { item: string; quantity: number }>();
  readonly #files = new Map<string, StoredFile>();
  readonly #tries = new Map<string, number>();
  #lastId = 0;

  /** How often this was called with a key before. */
  triesOf(key: string): number {
    const tries = this.#tries.get(key) ?? 0;
    this.#tries.set(key, tries + 1);
    bound(this.#tries, MAX_ENTRIES);
    return tries;
  }

  enter(key: string, line: Omit<Entry, "id" | "at">): Entry {
    const known = this.#entries.get(key);
    if (known) return known;
    this.#lastId += 1;
    const entry = { id: this.#lastId, at: Date.now(), ...line };
    this.#entries.set(key, entry);
    bound(this.#entries, MAX_ENTRIES);
    return entry;
  }

  get entries(): Entry[] {
    return [...this.#entries.values()];
  }

  left(item: string): number {
    const taken = [...this.#reserved.values()].filter((reservation) => reservation.item === item);
    return taken.reduce((left, { quantity }) => left - quantity, ARTICLES[item]?.stock ?? 0);
  }

  /** Whether that many could be set aside; again with the same key replaces what was. */
  reserve(key: string, item: string, quantity: number): boolean {
    const before = this.#reserved.get(key)?.quantity ?? 0;
    if (quantity - before > this.left(item)) return false;
    if (quantity === 0) this.#reserved.delete(key);
    else this.#reserved.set(key, { item, quantity });
    return true;
  }

  save(file: StoredFile): void {
    const key = `${file.workflowRunId}/${file.name}`;
    this.#files.delete(key);
    this.#files.set(key, file);
    bound(this.#files, MAX_FILES);
  }

  file(workflowRunId: string, name: string): StoredFile | undefined {
    return this.#files.get(`${workflowRunId}/${name}`);
  }

  get files(): StoredFile[] {
    return [...this.#files.values()];
  }

  /** As at the start. */
  clear(): void {
    for (const kept of [this.#entries, this.#reserved, this.#files, this.#tries]) kept.clear();
  }
}

/** The oldest make place. */
function bound(map: Map<string, unknown>, size: number): void {
  for (const key of map.keys()) {
    if (map.size <= size) return;
    map.delete(key);
  }
}

const STORE = Symbol.for("orchestration.samples");
const shared = globalThis as { [STORE]?: Store };

/** One for all routes: each is a bundle of its own. */
export const store = (): Store => (shared[STORE] ??= new Store());
