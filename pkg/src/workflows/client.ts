/** Starts and cancels runs. */
import type { ClientConfig } from "../config.js";
import { type BrokerSettings, brokerSettings, connect, exchange, pairsOf } from "../connection.js";
import type { Client as CoreClient } from "../core/core.js";
import { adopting, QstashError } from "../errors.js";
import type { FlowControl, HeadersInput } from "../messages.js";

/** What starts a run. The broker remembers it for all steps of the run. */
export interface TriggerOptions {
  /** The workflow's endpoint. */
  url: string;
  /** The payload; written as JSON unless it is text. */
  body?: unknown;
  /** Headers that reach the workflow. */
  headers?: HeadersInput;
  /** The run's id; `wfr_` is put before it. Default: a random one. */
  workflowRunId?: string;
  /** How many tries of a delivery may follow the first. Default: 3. */
  retries?: number;
  /** An expression that gives the delay before a retry in milliseconds, such as `1000 * (1 + retried)`. */
  retryDelay?: string;
  /** Limits for the run's deliveries. */
  flowControl?: FlowControl;
  /** Wait before the first delivery: seconds, or a duration. */
  delay?: number | string;
  /** Wait until this moment before the first delivery: Unix seconds. */
  notBefore?: number;
  /** Labels for logs and filters. */
  label?: string | string[];
  /** Who is told when the run fails. Default: the workflow's endpoint, whose `failureFunction` then runs. */
  failureUrl?: string;
  /** Accepted for callers of the official SDK: nothing is ever reported. */
  disableTelemetry?: boolean;
}

/** The run that was started. */
export interface TriggerResponse {
  workflowRunId: string;
}

/** Starts and cancels runs of workflows. */
export class Client {
  readonly #config: ClientConfig;
  #connected: Promise<CoreClient> | undefined;

  constructor(config: ClientConfig = {}) {
    this.#config = config;
  }

  /** Starts one run, or several in one request. */
  trigger(options: TriggerOptions): Promise<TriggerResponse>;
  trigger(options: TriggerOptions[]): Promise<TriggerResponse[]>;
  async trigger(options: TriggerOptions | TriggerOptions[]): Promise<TriggerResponse | TriggerResponse[]> {
    const runs = [options].flat().map(({ body, headers, ...rest }) => ({
      ...rest,
      headers: pairsOf(headers),
      body: typeof body === "string" ? body : JSON.stringify(body),
    }));
    const client = await this.#client();
    const [request, ...runIds] = adopting(QstashError, () => client.trigger(JSON.stringify(runs)));
    await exchange(request, { retry: this.#settings().retry });
    const started = runIds.map((workflowRunId) => ({ workflowRunId }));
    return Array.isArray(options) ? started : (started[0] as TriggerResponse);
  }

  /** Cancels runs by their ids. Resolves with how many were still running. */
  async cancel(workflowRunIds: string | string[] | { ids: string | string[] }): Promise<{ cancelled: number }> {
    const ids = typeof workflowRunIds === "object" && "ids" in workflowRunIds ? workflowRunIds.ids : workflowRunIds;
    if (typeof ids !== "string" && !Array.isArray(ids)) {
      throw new QstashError("this version cancels runs by their ids only, not by filters", "Unsupported");
    }
    if (ids.length === 0 && Array.isArray(ids)) return { cancelled: 0 };
    const client = await this.#client();
    const request = adopting(QstashError, () => client.cancelRuns([ids].flat()));
    return (await exchange(request, { retry: this.#settings().retry })) as { cancelled: number };
  }

  #settings(): BrokerSettings {
    return brokerSettings(this.#config);
  }

  #client(): Promise<CoreClient> {
    this.#connected ??= connect(this.#settings()).catch((error: unknown) => {
      this.#connected = undefined;
      throw error;
    });
    return this.#connected;
  }
}
