/** The keys that the broker signs deliveries with. */
import type { CallOptions } from "../config.js";
import type { Caller } from "./caller.js";

/** Signing keys, as the broker shows them. */
export interface SigningKeys {
  /** Signs now. */
  current: string;
  /** Signs after the next rotation. */
  next: string;
}

/** The account's signing keys. */
export class Keys {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Shows the keys. */
  async get(options?: CallOptions): Promise<SigningKeys> {
    return (await this.#caller.call("keys.get", null, options)) as SigningKeys;
  }

  /**
   * Makes the next key the current one, and a new one the next. Receivers have to learn the new keys before the rotation
   * after this one.
   */
  async rotate(options?: CallOptions): Promise<SigningKeys> {
    return (await this.#caller.call("keys.rotate", null, options)) as SigningKeys;
  }
}
