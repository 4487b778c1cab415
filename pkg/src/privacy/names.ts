/** What names say of their values. */
import { rules } from "../rules/rules.js";

/** What stands for a secret. */
export const MASKED = "[masked]";

/** What a name says: whether its value is a secret, or shown whatever it is; and the name as it is shown itself. */
export interface Name {
  readonly kind: "plain" | "secret" | "allowed";
  readonly shown: string;
}

/** Names that are remembered at most, of those that are short. Applications have a few hundred. */
const MOST_NAMES = 4_096;
const LONGEST_NAME = 64;

/** Names as the rules see them. */
const known = new Map<string, Name>();

/** Judges names: by the rules, and by what a caller knows better. */
export class Names {
  readonly #secret: Judge | undefined;
  readonly #allowed: Judge | undefined;
  readonly #known: Map<string, Name>;

  constructor(keys: readonly (string | RegExp)[], allow: readonly (string | RegExp)[]) {
    this.#secret = judge(keys);
    this.#allowed = judge(allow);
    this.#known = this.#secret || this.#allowed ? new Map() : known;
  }

  of(name: string): Name {
    const remembered = this.#known.get(name);
    if (remembered) return remembered;
    const judged = this.#judged(name);
    if (name.length <= LONGEST_NAME) {
      if (this.#known.size >= MOST_NAMES) this.#known.clear();
      this.#known.set(name, judged);
    }
    return judged;
  }

  #judged(name: string): Name {
    if (this.#allowed?.(name)) return { kind: "allowed", shown: name };
    const secret = this.#secret?.(name) || rules().isSecretName(name);
    return { kind: secret ? "secret" : "plain", shown: rules().maskText(name) ?? name };
  }
}

type Judge = (name: string) => boolean;

function judge(names: readonly (string | RegExp)[]): Judge | undefined {
  if (names.length === 0) return undefined;
  const spelt = new Set(names.filter((name) => typeof name === "string").map(plain));
  // Global and sticky ones would go on where they were.
  const patterns = names
    .filter((name) => typeof name !== "string")
    .map(({ source, flags }) => new RegExp(source, flags.replace(/[gy]/g, "")));
  return (name) => spelt.has(plain(name)) || patterns.some((pattern) => pattern.test(name));
}

/** Without case and separators. */
const plain = (name: string): string => name.toLowerCase().replace(/[\s_.-]/g, "");
