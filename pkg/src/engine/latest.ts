/** Ids of what was lately: the oldest are forgotten, so that it does not grow. */
export class Latest {
  readonly #ids = new Set<string>();

  add(id: string): void {
    if (this.#ids.size >= REMEMBERED) this.#ids.delete(this.#ids.values().next().value as string);
    this.#ids.add(id);
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  delete(id: string): void {
    this.#ids.delete(id);
  }
}

const REMEMBERED = 10_000;
