/** A Redis with Upstash's REST interface: a command is one POST. */
import { reasonOf } from "../broker.js";
import type { CallOptions } from "../config.js";
import { type Environment, processEnvironment } from "../environment.js";
import { OrchestrationError, ProviderError } from "../errors.js";
import { optionsOf } from "../options.js";
import { startTimer } from "./timer.js";

/** Where a Redis with a REST interface is. */
export interface RedisRestConfig {
  /** The address, such as `https://eu1-able-1.upstash.io`. */
  url: string;
  /** The bearer token. */
  token: string;
  /** Milliseconds until a command without an answer fails. Default: 10,000. */
  timeout?: number | undefined;
}

/** A part of a command: its name, a key, a value. */
export type RedisArgument = string | number;

/** Redis answered a command with an error, such as `WRONGTYPE`. Code `Storage`. */
export class RedisError extends OrchestrationError {
  /** The first word of Redis' error: `ERR`, `NOSCRIPT`, `WRONGTYPE`, … */
  readonly kind: string;

  constructor(reply: string) {
    super(`Redis refused a command: ${reply}`, "Storage", false);
    this.name = "RedisError";
    this.kind = /^[A-Z]+/.exec(reply)?.[0] ?? "ERR";
  }
}

/** A command that is to be sent, and who waits for it. */
interface Entry {
  command: readonly RedisArgument[];
  signal: AbortSignal | undefined;
  resolve(result: unknown): void;
  reject(reason: unknown): void;
}

/** What Redis says to one command. */
interface Reply {
  result?: unknown;
  error?: unknown;
}

/**
 * Sends commands to a Redis with Upstash's REST interface. Those that are asked for at once travel in one request, in
 * their order. Nothing is sent twice: whether a command whose answer is lost may be repeated is for its caller to know.
 *
 * ```ts
 * const redis = new RedisRest({ url: process.env.UPSTASH_REDIS_REST_URL, token: process.env.UPSTASH_REDIS_REST_TOKEN });
 * const visits = await redis.command<number>(["INCR", "visits"]);
 * ```
 */
export class RedisRest {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #timeout: number;
  #due: Entry[] = [];

  /** @throws {OrchestrationError} `InvalidConfiguration` */
  constructor(config: RedisRestConfig) {
    const {
      url,
      token,
      timeout = TIMEOUT_MS,
    } = optionsOf("RedisRest", config, { url: true, token: true, timeout: true });
    if (!isAddress(url)) throw misconfigured("the url of a Redis has to be absolute, with http or https");
    // Headers refuse other characters, and the message of that error would show the token.
    if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token))
      throw misconfigured("the token of a Redis has to be a text without blanks and line breaks");
    if (!(typeof timeout === "number" && timeout > 0))
      throw misconfigured("the timeout of a Redis has to be milliseconds above 0");
    this.#url = url.replace(/\/+$/, "");
    this.#headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    this.#timeout = timeout;
  }

  /**
   * Runs a command and resolves with its result: texts, numbers, `null` and lists of these.
   *
   * Rejects with the reason of `signal`, or with `ProviderUnavailable` if there is no answer that can be read,
   * `InvalidConfiguration` if the token is refused, `Storage` ({@link RedisError}) if Redis answers with an error.
   */
  command<TResult = unknown>(
    command: readonly [name: string, ...args: RedisArgument[]],
    { signal }: CallOptions = {},
  ): Promise<TResult> {
    return new Promise<unknown>((resolve, reject) => {
      if (this.#due.length === 0) queueMicrotask(() => this.#flush());
      this.#due.push({ command, signal, resolve, reject });
    }) as Promise<TResult>;
  }

  #flush(): void {
    const entries = this.#due;
    this.#due = [];
    for (let at = 0; at < entries.length; at += AT_ONCE) void this.#send(entries.slice(at, at + AT_ONCE));
  }

  /** One request. It ends when its time is up, or when nobody waits for it any more. */
  async #send(entries: Entry[]): Promise<void> {
    const ending = new AbortController();
    const stopTimer = startTimer(this.#timeout, () => ending.abort());
    const watches = watching(entries, () => ending.abort());
    try {
      const replies = ending.signal.aborted ? [] : await this.#exchange(entries, ending.signal);
      entries.forEach(({ resolve, reject }, index) => {
        const { result, error } = replies[index] ?? {};
        if (typeof error === "string") reject(new RedisError(shown(error)));
        else resolve(result);
      });
    } catch (error) {
      const failure = this.#failure(error, ending.signal);
      for (const { reject } of entries) reject(failure);
    } finally {
      stopTimer();
      for (const end of watches) end();
    }
  }

  async #exchange(entries: Entry[], signal: AbortSignal): Promise<readonly Reply[]> {
    const commands = entries.map(({ command }) => command);
    const [single] = commands;
    const [path, body] = commands.length === 1 ? ["", single] : ["/pipeline", commands];
    // A redirection would be followed with the command, and frameworks that patch `fetch` remember answers.
    const init: RequestInit = { method: "POST", headers: this.#headers, body: JSON.stringify(body), signal };
    init.redirect = "manual";
    if (fetchKnowsCaches()) init.cache = "no-store";
    const response = await fetch(this.#url + path, init);
    const { status } = response;
    const answer = readable(await response.text());
    if (status === 401 || status === 403) throw misconfigured(`Redis refuses the token (status ${status})`);
    const replies = Array.isArray(answer) ? answer : [answer];
    if (response.ok && replies.length === commands.length && replies.every(isReply)) return replies;
    const [{ error }] = replies.map((reply: Reply | undefined) => reply ?? {}) as [Reply];
    if (typeof error === "string" && status < 500 && status !== 429) throw new RedisError(shown(error));
    throw unavailable(`status ${status}${typeof error === "string" ? `: ${shown(error)}` : ""}`);
  }

  #failure(error: unknown, signal: AbortSignal): OrchestrationError {
    if (error instanceof OrchestrationError) return error;
    if (signal.aborted) return unavailable(`no answer within ${this.#timeout} ms`, error);
    return unavailable(`it can't be reached: ${reasonOf(error)}`, error);
  }
}

/** Rejects those whose signals abort, and tells when nobody is left. Gives what ends that. */
function watching(entries: readonly Entry[], abandoned: () => void): (() => void)[] {
  let waiting = entries.length;
  return entries.flatMap(({ signal, reject }) => {
    if (!signal) return [];
    const abort = () => {
      reject(signal.reason);
      waiting -= 1;
      if (waiting === 0) abandoned();
    };
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    return [() => signal.removeEventListener("abort", abort)];
  });
}

/**
 * The Redis of `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN`; `undefined` if neither is set.
 *
 * @param environment default: the process's, read now
 * @throws {OrchestrationError} `InvalidConfiguration` if only one of them is set
 */
export function redisSettings(environment: object = processEnvironment()): RedisRestConfig | undefined {
  const { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token } = environment as Environment;
  if (url && token) return { url, token };
  if (!url && !token) return undefined;
  const [set, missing] = url ? ["URL", "TOKEN"] : ["TOKEN", "URL"];
  throw misconfigured(`UPSTASH_REDIS_REST_${set} is set, so UPSTASH_REDIS_REST_${missing} has to be set too`);
}

const TIMEOUT_MS = 10_000;
/** Commands in one request. */
const AT_ONCE = 100;
/** Characters of Redis' error that are told; arguments of the command may follow. */
const SHOWN = 120;

function isAddress(url: unknown): boolean {
  try {
    const { protocol, username, password } = new URL(url as string);
    return /^https?:$/.test(protocol) && username === "" && password === "";
  } catch {
    return false;
  }
}

/** Workers with an old compatibility date throw if they are asked. */
const fetchKnowsCaches = () => "cache" in Request.prototype;

function readable(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isReply = (value: unknown): value is Reply =>
  typeof value === "object" && value !== null && ("result" in value || typeof (value as Reply).error === "string");

/** What Redis says up to where it repeats the command, which may hold secrets. */
const shown = (error: string) => (error.split(/, with args|[`'"\n]/)[0] as string).trim().slice(0, SHOWN);

const misconfigured = (message: string) => new OrchestrationError(message, "InvalidConfiguration");

const unavailable = (reason: string, cause?: unknown) =>
  new ProviderError(`Redis is not available: ${reason}`, { cause, provider: "redis" });
