/** From a client's configuration to the broker and back. */
import { type Answer, DEFAULT_RETRY, headerText, reasonOf, type SendOptions, send } from "./broker.js";
import type { ClientConfig, Retry } from "./config.js";
import { type Client, type ClientSettings, core, type RequestTuple } from "./core/core.js";
import { developmentBroker } from "./development.js";
import { processEnvironment, settingsIn } from "./environment.js";
import { adopting, QstashError } from "./errors.js";
import type { HeadersInput } from "./messages.js";

/** Which broker to talk to, and how. */
export interface BrokerSettings extends ClientSettings {
  retry: Retry;
}

/** How `serve` asks a client for its settings. The symbol is shared by all copies of this package in a process. */
export const SETTINGS: unique symbol = Symbol.for("@repo/orchestration:settings") as never;

/**
 * What `config` says, and the settings that the core fills the gaps from: those in `config.env`, or else in `environment`.
 * `region` is the header `Upstash-Region` of a delivery that is being answered.
 */
export function brokerSettings(
  config: ClientConfig,
  environment: object = processEnvironment(),
  region?: string,
): BrokerSettings {
  return {
    baseUrl: config.baseUrl,
    token: config.token,
    devMode: config.devMode,
    region,
    environment: settingsIn(config.env ?? environment),
    headers: pairsOf(config.headers),
    retry: config.retry === false ? { ...DEFAULT_RETRY, retries: 0 } : { ...DEFAULT_RETRY, ...defined(config.retry) },
  };
}

/** The core's client for these settings, once the broker of development mode is there. */
export async function connect({ retry: _, ...settings }: BrokerSettings): Promise<Client> {
  const { Client: Core } = await core();
  const client = adopting(QstashError, () => new Core(JSON.stringify(settings)));
  await developmentBroker({ devMode: settings.devMode, environment: settings.environment });
  return client;
}

/** Sends a request and reads the JSON of a 2xx; `undefined` if it is empty. */
export async function exchange(request: RequestTuple, options: SendOptions): Promise<unknown> {
  const { signal } = options;
  let answer: Answer;
  try {
    answer = await send(request, options);
  } catch (error) {
    signal?.throwIfAborted();
    const unreachable = new QstashError(`the broker can't be reached: ${reasonOf(error)}`, "BrokerUnreachable", true);
    unreachable.cause = error;
    throw unreachable;
  }
  const { status, headers, body } = answer;
  if (status < 200 || status >= 300) {
    const { checkAnswer } = await core();
    adopting(QstashError, () => checkAnswer(status, headerText(headers), body));
  }
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    throw new QstashError("the broker's answer is not JSON", "BrokerAnswer", true, status);
  }
}

/** Headers as options carry them to the core. */
export function pairsOf(headers: HeadersInput | undefined): [string, string][] {
  try {
    return headers === undefined ? [] : [...new Headers(headers as HeadersInit)];
  } catch (error) {
    throw new QstashError(`the headers can't travel: ${reasonOf(error)}`, "InvalidHeader");
  }
}

/** A value as JSON; `undefined` for what JSON leaves out. */
export function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    throw new QstashError(`the value can't be written as JSON: ${reasonOf(error)}`, "NotSerializable");
  }
}

/** Without the fields that are `undefined`, so that they don't replace a default. */
function defined<T extends object>(fields: T | undefined): T {
  return Object.fromEntries(Object.entries(fields ?? {}).filter(([, value]) => value !== undefined)) as T;
}
