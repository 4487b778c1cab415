/** From a client's configuration to the broker and back. */
import { type Answer, DEFAULT_RETRY, reasonOf, send } from "./broker.js";
import type { ClientConfig, Retry } from "./config.js";
import { type Client, type ClientSettings, core, type RequestTuple } from "./core/core.js";
import type { Environment } from "./environment.js";
import { adopting, QstashError } from "./errors.js";
import type { HeadersInput } from "./messages.js";

/** Where the broker is, and how it is spoken to. */
export interface BrokerSettings extends ClientSettings {
  retry: Retry;
}

/** How `serve` asks a client for its settings. The symbol is shared by all copies of this package in a process. */
export const SETTINGS: unique symbol = Symbol.for("@repo/orchestration:settings") as never;

/** What `config` and the environment say together. */
export function brokerSettings(config: ClientConfig, environment: Environment): BrokerSettings {
  if (!config.baseUrl) refuseUnsupported(environment);
  return {
    brokerUrl: config.baseUrl ?? environment.QSTASH_URL,
    token: config.token ?? environment.QSTASH_TOKEN,
    headers: pairsOf(config.headers),
    retry: config.retry === false ? { ...DEFAULT_RETRY, retries: 0 } : { ...DEFAULT_RETRY, ...config.retry },
  };
}

/** Settings that name another broker than `QSTASH_URL`: following them half would send messages to the wrong place. */
function refuseUnsupported(environment: Environment): void {
  for (const name of ["QSTASH_REGION", "QSTASH_DEV"]) {
    if (environment[name] && environment[name] !== "false") {
      throw new QstashError(
        `${name} is set, which this version does not offer; unset it, and set QSTASH_URL and QSTASH_TOKEN`,
        "Unsupported",
      );
    }
  }
}

/** The core's client for these settings. */
export async function connect({ brokerUrl, token, headers }: BrokerSettings): Promise<Client> {
  const { Client: Core } = await core();
  return adopting(QstashError, () => new Core(JSON.stringify({ brokerUrl, token, headers })));
}

/** Sends a request and reads the JSON of a 2xx. */
export async function exchange(request: RequestTuple, retry: Retry, body?: BodyInit | null): Promise<unknown> {
  let answer: Answer;
  try {
    answer = await send(request, retry, body);
  } catch (error) {
    throw new QstashError(`the broker can't be reached: ${reasonOf(error)}`, "BrokerUnreachable", true);
  }
  const { checkAnswer } = await core();
  const status = answer.status;
  adopting(
    class extends QstashError {
      constructor(message: string, code: string, retryable: boolean) {
        super(message, code, retryable, status);
      }
    },
    () => checkAnswer(status, answer.body),
  );
  if (answer.body.length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(answer.body));
  } catch {
    throw new QstashError("the broker's answer is not JSON", "BrokerAnswer", true, status);
  }
}

/** Headers as options carry them to the core. */
export function pairsOf(headers: HeadersInput | undefined): [string, string][] {
  return headers === undefined ? [] : [...new Headers(headers)];
}
