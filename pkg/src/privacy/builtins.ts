/** Copies of what the language and the web have classes for. */
import { attempt, define, type Kind, type Masker, type Numbers, silence, unused } from "./masker.js";

/** Makes a copy, and tells of it before going on to what may refer back to it. */
type Copier = (value: never, masker: Masker, kind: Kind, begun: (copy: unknown) => void) => unknown;

/** By what `Object.prototype.toString` says, which works for instances of other realms too. */
const COPIERS: Readonly<Record<string, Copier>> = {
  Map: (value: Map<unknown, unknown>, masker, kind, begun) => {
    const copy = new Map();
    const numbers: Numbers = new Map();
    begun(copy);
    for (const [key, item] of value) {
      if (typeof key !== "string") copy.set(masker.masked(key, kind), masker.masked(item, members(kind)));
      else copy.set(place(copy, numbers, masker.text(key, kind)), masker.named(key, item, members(kind)));
    }
    return copy;
  },
  Set: (value: Set<unknown>, masker, kind, begun) => {
    const copy = new Set();
    const numbers: Numbers = new Map();
    begun(copy);
    for (const item of value) {
      const masked = masker.masked(item, kind);
      copy.add(typeof masked === "string" ? place(copy, numbers, masked) : masked);
    }
    return copy;
  },
  Error: copyOfError,
  DOMException: (value: DOMException, masker, kind) =>
    new DOMException(masker.text(value.message, kind), masker.text(value.name)),
  Date: (value: Date, masker, kind) => (kind === "secret" ? masker.hidden() : new Date(value.getTime())),
  RegExp: (value: RegExp, masker, kind) => {
    const source = masker.text(value.source, kind);
    return source === value.source ? new RegExp(source, value.flags) : source;
  },
  URL: copyOfUrl,
  URLSearchParams: (value: URLSearchParams, masker, kind) => new URLSearchParams(pairs(value, masker, kind)),
  Headers: (value: Headers, masker, kind) => {
    const masked = pairs(value, masker, kind);
    // What stands for a secret may be no text that a header can hold.
    return attempt(() => new Headers(masked))?.value ?? description("Headers", Object.fromEntries(masked));
  },
  FormData: (value: FormData, masker, kind) => {
    const copy = new FormData();
    for (const [name, item] of value) copy.append(masker.text(name), String(masker.named(name, item, members(kind))));
    return copy;
  },
  Request: ({ method, url, headers }: Request, masker, kind) =>
    description("Request", { method, ...sent(url, headers, masker, kind) }),
  Response: ({ status, statusText, url, headers }: Response, masker, kind) =>
    description("Response", { status, statusText: masker.text(statusText, kind), ...sent(url, headers, masker, kind) }),
  String: (value: string, masker, kind) => Object(masker.text(String.prototype.valueOf.call(value), kind)),
  Number: (value: number, masker, kind) => Object(masker.masked(Number.prototype.valueOf.call(value), kind)),
  BigInt: (value: bigint, masker, kind) => Object(masker.masked(BigInt.prototype.valueOf.call(value), kind)),
  Symbol: (value: symbol, masker, kind) => Object(masker.masked(Symbol.prototype.valueOf.call(value), kind)),
  Boolean: (value: boolean) => Object(Boolean.prototype.valueOf.call(value)),
  ArrayBuffer: bytes,
  SharedArrayBuffer: bytes,
  DataView: bytes,
  Blob: ({ size }: Blob) => `[Blob: ${size} bytes]`,
  File: ({ size }: File) => `[File: ${size} bytes]`,
};

/** Shown by name: what they hold can't be read, or is gone when it is. */
const OPAQUE =
  /^(?:Promise|Weak(?:Map|Set|Ref)|(?:Async)?Generator|.* Iterator|(?:Readable|Writable|Transform)Stream|CryptoKey)$/;

/** A copy of what its tag says it is; nothing if that isn't known, or not true. */
export function byTag(
  value: object,
  masker: Masker,
  kind: Kind,
  begun: (copy: unknown) => void,
): { value: unknown } | undefined {
  if (ArrayBuffer.isView(value)) return { value: bytes(value, masker, kind) };
  const tag = tagOf(value);
  const copier = Object.hasOwn(COPIERS, tag) ? COPIERS[tag] : undefined;
  const copy = copier && attempt(() => copier(value as never, masker, kind, begun));
  if (copy) return copy;
  if (value instanceof Error) return attempt(() => copyOfError(value, masker, kind, begun));
  return OPAQUE.test(tag) ? { value: kind === "secret" ? masker.hidden() : `[${tag}]` } : undefined;
}

/** Classes of the web, which have no tags in Workers with dates of compatibility before September 2024. */
const WEB = ["URL", "URLSearchParams", "Headers", "FormData", "Request", "Response", "File", "Blob", "DOMException"];

function tagOf(value: object): string {
  const tag = Object.prototype.toString.call(value).slice("[object ".length, -1);
  if (tag !== "Object") return tag;
  const known = (name: string): boolean => {
    const webClass: unknown = (globalThis as Record<string, unknown>)[name];
    return typeof webClass === "function" && value instanceof webClass;
  };
  return WEB.find(known) ?? tag;
}

/** Of what is below an allowed name, what has a name of its own is judged by that. */
const members = (kind: Kind): Kind => (kind === "allowed" ? "plain" : kind);

/** Masked texts may be the same. */
const place = (copy: { has(key: unknown): boolean }, numbers: Numbers, text: string): string =>
  unused(text, numbers, (other) => copy.has(other));

/** Bytes may be a key, or the text of one. */
function bytes(value: ArrayBufferLike | ArrayBufferView, masker: Masker, kind: Kind): string {
  if (kind === "secret") return masker.hidden();
  return `[${tagOf(value)}: ${value.byteLength} bytes]`;
}

function copyOfError(value: Error, masker: Masker, kind: Kind, begun: (copy: unknown) => void): Error {
  const copy = new Error();
  Object.setPrototypeOf(copy, Object.getPrototypeOf(value));
  begun(copy);
  const visible = (key: string) => Object.prototype.propertyIsEnumerable.call(value, key);
  for (const key of ["name", "cause", "errors"])
    if (Object.hasOwn(value, key) && !visible(key))
      define(copy, key, masker.named(key, Reflect.get(value, key), members(kind)), false);
  masker.members(value, copy, members(kind));
  const message = masker.text(String(value.message), kind);
  define(copy, "message", message, visible("message"));
  define(copy, "stack", stackOf(value, message, masker, kind), visible("stack"));
  // A class may tell its errors as JSON: by what is masked, or not at all.
  const { toJSON } = copy as { toJSON?: unknown };
  const told = typeof toJSON === "function" && attempt(() => toJSON.call(copy));
  silence(copy);
  if (told) Reflect.deleteProperty(copy, "toJSON");
  return copy;
}

function stackOf({ stack, message, name }: Error, masked: string, masker: Masker, kind: Kind): string {
  const head = masked === "" ? name : `${name}: ${masked}`;
  if (kind === "secret" || typeof stack !== "string") return head;
  return masker.text(message === "" ? stack : stack.replace(message, () => masked));
}

function copyOfUrl(value: URL, masker: Masker, kind: Kind): unknown {
  if (kind !== "plain") return kind === "allowed" ? new URL(value.href) : masker.hidden();
  const copy = new URL(value.href);
  // Those of `data:` and `mailto:` have no parts.
  if (copy.host === "" && !copy.pathname.startsWith("/")) {
    const href = masker.text(copy.href);
    return attempt(() => new URL(href))?.value ?? href;
  }
  const change = (part: "username" | "hash", text: string) => {
    const masked = masker.text(text);
    if (masked !== text) copy[part] = masked;
  };
  if (copy.password !== "") copy.password = masker.text(decoded(copy.password), "secret");
  change("username", decoded(copy.username));
  const path = copy.pathname.split("/").map((segment) => {
    const masked = masker.text(decoded(segment));
    return masked === decoded(segment) ? segment : encodeURIComponent(masked);
  });
  if (path.join("/") !== copy.pathname) copy.pathname = path.join("/");
  change("hash", decoded(copy.hash));
  const search = new URLSearchParams(pairs(copy.searchParams, masker, kind));
  if (search.toString() !== copy.searchParams.toString()) copy.search = search.toString();
  return copy;
}

const decoded = (text: string): string => attempt(() => decodeURIComponent(text))?.value ?? text;

function pairs(value: Iterable<[string, string]>, masker: Masker, kind: Kind): [string, string][] {
  const masked: [string, string][] = [];
  for (const [name, item] of value) masked.push([masker.text(name), String(masker.named(name, item, members(kind)))]);
  return masked;
}

/** An object that is printed with the name of what it stands for. */
function description(name: string, shown: object): object {
  define(shown, Symbol.toStringTag, name, false);
  return shown;
}

function sent(url: string, headers: Headers, masker: Masker, kind: Kind): object {
  return { url: masker.text(url, kind), headers: Object.fromEntries(pairs(headers, masker, kind)) };
}
