/** Walks through a value and copies it without its secrets. */
import { rules } from "../rules/rules.js";
import { byTag } from "./builtins.js";
import { MASKED, type Name, type Names } from "./names.js";

/** What is known of a value by the name it stands under. */
export type Kind = Name["kind"];

/** What stands for something that throws when it is read. */
const UNREADABLE = "[unreadable]";
const TOO_DEEP = "[too deep]";
const TOO_MUCH = "[too much]";
/** What stands for an object within what its own `toJSON` gives. */
const CIRCULAR = "[circular]";
/** Getters can make objects without end. */
const MOST_OBJECTS = 250_000;
/** No secret is shorter. */
const SHORTEST_SECRET = 5;
/** Short words, small numbers, UUIDs and moments: too plain for any secret, and most of what there is. */
const PLAIN =
  /^(?:[A-Za-z]{1,15}(?: [A-Za-z]{1,15}){0,9}|\d{1,12}|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?Z?)?)$/;
/** Words that a secret may follow. */
const SCHEME = /bearer|basic/i;
/** What the rules leave in a text. */
const IN_TEXT = /\[masked [a-z ]+\]/g;
/** Digits of a card's number begin here. */
const SMALLEST_CARD = 1e12;
/** No header's name is longer. */
const LONGEST_HEADER = 128;
/** Longer arrays may be mostly holes. */
const LONGEST_DENSE = 2 ** 20;
/** How runtimes ask a class to print its instances. A copy lacks private members, so it is printed as it is. */
const PRINTERS = [Symbol.for("nodejs.util.inspect.custom"), Symbol.for("Deno.customInspect")];

/** Masks one value. */
export class Masker {
  readonly names: Names;
  readonly #mask: string;
  readonly #maxDepth: number;
  /** Copies by what they are of: in a secret's place it is another copy. */
  readonly #copies: Record<Kind, Map<object, unknown>> = { plain: new Map(), secret: new Map(), allowed: new Map() };
  #depth = 0;
  #objects = 0;
  /** How much was masked. */
  #found = 0;

  constructor(names: Names, mask: string, maxDepth: number) {
    this.names = names;
    this.#mask = mask;
    this.#maxDepth = maxDepth;
  }

  /** A value under a name of this kind. */
  masked(value: unknown, kind: Kind = "plain"): unknown {
    switch (typeof value) {
      case "string":
        return this.text(value, kind);
      case "object":
        return value === null ? null : this.#object(value, kind);
      case "number":
      case "bigint":
        return this.#number(value, kind);
      case "symbol":
        return this.#symbol(value, kind);
      case "function":
        return kind === "secret" ? this.hidden() : this.#function(value);
      default:
        return value;
    }
  }

  /** A text, which may be JSON. */
  text(text: string, kind: Kind = "plain"): string {
    if (kind === "allowed" || text === "") return text;
    if (kind === "secret") return text === this.#mask || isMasked(text) ? text : this.hidden();
    if (text.length < SHORTEST_SECRET || (PLAIN.test(text) && !SCHEME.test(text))) return text;
    return this.#json(text) ?? this.#patterns(text);
  }

  /** What stands for a secret. */
  hidden(): string {
    this.#found += 1;
    return this.#mask;
  }

  /** What stands for something that is left out. */
  #left(mark: string): string {
    this.#found += 1;
    return mark;
  }

  /** A value by the name that it stands under, below what is of `kind` itself. */
  named(name: string, value: unknown, kind: Kind): unknown {
    return this.masked(value, below(kind, this.names.of(name).kind));
  }

  /** The members of `from` that are its own and enumerable, on `to`. */
  members(from: object, to: object, kind: Kind): void {
    const labelled = kind === "plain" ? this.#labelled(from) : undefined;
    let numbers: Numbers | undefined;
    for (const key of Object.keys(from)) {
      const name = this.names.of(key);
      const memberKind = key === "value" && labelled ? labelled : below(kind, name.kind);
      let place = key;
      if (name.shown !== key) {
        numbers ??= new Map();
        place = this.#place(name.shown, from, to, numbers);
      }
      define(to, place, this.#read(from, key, memberKind));
    }
    for (const key of Object.getOwnPropertySymbols(from)) {
      if (!Object.prototype.propertyIsEnumerable.call(from, key)) continue;
      const name = this.names.of(key.description ?? "");
      define(to, this.#symbol(key, "plain"), this.#read(from, key, below(kind, name.kind)));
    }
  }

  /** Where a member goes whose name holds a secret. */
  #place(shown: string, from: object, to: object, numbers: Numbers): string {
    this.#found += 1;
    return unused(shown, numbers, (other) => Object.hasOwn(from, other) || Object.hasOwn(to, other));
  }

  #read(from: object, key: PropertyKey, kind: Kind): unknown {
    let value: unknown;
    try {
      value = Reflect.get(from, key);
    } catch {
      return UNREADABLE;
    }
    if (key === "rawHeaders" && Array.isArray(value)) return this.#rawHeaders(value, kind);
    return this.masked(value, kind);
  }

  #number(value: number | bigint, kind: Kind): unknown {
    if (kind === "allowed") return value;
    if (kind === "secret") return this.hidden();
    if (value < SMALLEST_CARD) return value;
    const text = String(value);
    const masked = this.#patterns(text);
    return masked === text ? value : masked;
  }

  #function(value: { readonly name: unknown }): string {
    const name = attempt(() => value.name)?.value;
    return typeof name === "string" && name !== "" ? `[Function: ${this.text(name)}]` : "[Function]";
  }

  #symbol(value: symbol, kind: Kind): symbol {
    const { description } = value;
    if (description === undefined) return value;
    const masked = this.text(description, kind);
    return masked === description ? value : Symbol(masked);
  }

  #object(value: object, kind: Kind): unknown {
    const copies = this.#copies[kind];
    const existing = copies.get(value);
    if (existing !== undefined) return existing;
    if (this.#depth >= this.#maxDepth) return this.#left(TOO_DEEP);
    if (this.#objects >= MOST_OBJECTS) return this.#left(TOO_MUCH);
    this.#objects += 1;
    this.#depth += 1;
    try {
      return this.#copy(value, kind, (copy) => copies.set(value, copy));
    } catch {
      // Proxies may throw whatever is asked of them.
      return UNREADABLE;
    } finally {
      this.#depth -= 1;
    }
  }

  #copy(value: object, kind: Kind, begun: (copy: unknown) => void): unknown {
    if (Array.isArray(value)) return this.#array(value, kind, begun);
    const prototype = Object.getPrototypeOf(value);
    const plain = prototype === Object.prototype || prototype === null;
    if (!plain) {
      const known = byTag(value, this, kind, begun);
      if (known) return known.value;
    }
    const toJSON = attempt(() => (value as { toJSON?: unknown }).toJSON)?.value;
    if (typeof toJSON === "function") {
      const json = attempt(() => toJSON.call(value));
      if (json && json.value !== value) {
        begun(CIRCULAR);
        const copy = this.masked(json.value, kind);
        begun(copy);
        return copy;
      }
    }
    const copy: object = prototype === Object.prototype ? {} : Object.create(prototype);
    begun(copy);
    // Members of what has an allowed name have names of their own.
    this.members(value, copy, kind === "allowed" ? "plain" : kind);
    if (!plain) silence(copy);
    return copy;
  }

  #array(value: unknown[], kind: Kind, begun: (copy: object) => void): unknown[] {
    const copy: unknown[] = new Array(value.length);
    begun(copy);
    const pairs = kind === "plain" && arePairs(value);
    if (kind === "plain" && isHeader(value)) {
      const [header, text] = this.#pair(value);
      copy[0] = header;
      copy[1] = text;
      return copy;
    }
    const item = (index: number): void => {
      const element = value[index];
      if (element === undefined && !(index in value)) return;
      copy[index] = pairs ? this.#pair(element as [string, unknown]) : this.masked(element, kind);
    };
    if (value.length <= LONGEST_DENSE) for (let index = 0; index < value.length; index += 1) item(index);
    else for (const key of Object.keys(value)) if (Number(key) < value.length) item(Number(key));
    return copy;
  }

  /** A name and its value. */
  #pair([name, value]: [string, unknown]): unknown[] {
    return [this.text(name), this.named(name, value, "plain")];
  }

  /** Names and values in turn, as Node lists headers. */
  #rawHeaders(list: unknown[], kind: Kind): unknown[] {
    return list.map((item, index) =>
      index % 2 === 0 ? this.masked(item) : this.named(String(list[index - 1]), item, kind),
    );
  }

  /** The kind of `value` in `{ name: "password", value }`, if this is such an object. */
  #labelled(object: object): Kind | undefined {
    if (!("value" in object)) return undefined;
    for (const label of ["name", "key"]) {
      const name = attempt(() => Reflect.get(object, label))?.value;
      if (typeof name === "string" && this.names.of(name).kind !== "plain") return this.names.of(name).kind;
    }
    return undefined;
  }

  #patterns(text: string): string {
    const masked = rules().maskText(text);
    if (masked === undefined) return text;
    this.#found += 1;
    return this.#mask === MASKED ? masked : masked.replace(IN_TEXT, () => this.#mask);
  }

  /** A text in JSON, masked: in its own spelling if that is possible; `undefined` if it is no JSON. */
  #json(text: string): string | undefined {
    const walked = maybeJson(text) ? this.#parsed(text) : undefined;
    if (!walked?.found) return walked && text;
    const spelt = this.#patterns(text);
    const left = this.#parsed(spelt);
    const json = JSON.stringify(walked.copy);
    // In texts within texts, marks of quotes are easily taken for what they quote.
    const saysTheSame = left?.found === 0 && withoutKinds(JSON.stringify(left.copy)) === withoutKinds(json);
    return saysTheSame ? spelt : json;
  }

  #parsed(text: string): { copy: unknown; found: number } | undefined {
    const parsed = attempt(() => JSON.parse(text));
    if (!parsed) return undefined;
    const before = this.#found;
    const copy = this.masked(parsed.value);
    return { copy, found: this.#found - before };
  }
}

/** How JSON with something in it begins and ends. */
const JSON_ENDS: Readonly<Record<string, string>> = { "{": "}", "[": "]", '"': '"' };

const withoutKinds = (json: string): string => json.replace(IN_TEXT, MASKED);

function maybeJson(text: string): boolean {
  const end = JSON_ENDS[text.trimStart().charAt(0)];
  return end !== undefined && text.trimEnd().endsWith(end);
}

const isMasked = (text: string): boolean => /^\[masked[a-z ]*\]$/.test(text);

/** What is shown of an allowed name is shown; else everything below a secret is one. */
function below(kind: Kind, named: Kind): Kind {
  if (named === "allowed" || kind !== "secret") return named;
  return "secret";
}

/** Names of headers, and what is no name of another. */
const HEADER = /-|authorization$|cookie$/i;
const NAME = /^[a-z-]*$/i;

/** Whether this may be an entry of headers by itself: `["authorization", "Basic …"]`, and no list of names. */
function isHeader(list: unknown[]): list is [string, string] {
  const [name, value] = list;
  return (
    list.length === 2 &&
    typeof name === "string" &&
    typeof value === "string" &&
    name.length <= LONGEST_HEADER &&
    HEADER.test(name) &&
    !NAME.test(value)
  );
}

/** Whether this is a list of names and values, as `Object.entries` gives it. */
function arePairs(list: unknown[]): boolean {
  return (
    list.length > 0 &&
    list.length <= LONGEST_DENSE &&
    list.every((item) => Array.isArray(item) && item.length === 2 && typeof item[0] === "string")
  );
}

/** The number to be tried next, by the text that it stands behind: thousands of names may be masked alike. */
export type Numbers = Map<string, number>;

/** The text, or the first of `text 2`, `text 3`, … that is not taken: masked names may be the same. */
export function unused(text: string, numbers: Numbers, taken: (text: string) => boolean): string {
  let number = numbers.get(text) ?? 1;
  const place = () => (number === 1 ? text : `${text} ${number}`);
  while (taken(place())) number += 1;
  numbers.set(text, number);
  return place();
}

/** Never a setter's work. */
export function define(to: object, key: PropertyKey, value: unknown, enumerable = true): void {
  if (enumerable && !(key in to)) (to as Record<PropertyKey, unknown>)[key] = value;
  else Object.defineProperty(to, key, { value, enumerable, writable: true, configurable: true });
}

/** Keeps a copy from being printed by methods that expect private members. */
export function silence(copy: object): void {
  for (const key of ["toJSON", ...PRINTERS]) if (key in copy) define(copy, key, undefined, false);
}

/** What `work` gives, unless it throws. */
export function attempt<T>(work: () => T): { value: T } | undefined {
  try {
    return { value: work() };
  } catch {
    return undefined;
  }
}
