/** The options of `serve`, named as the official SDK names them. */
import type { ClientConfig } from "../config.js";
import type { Environment } from "../environment.js";
import type { Client } from "../qstash.js";
import type { Receiver } from "../receiver.js";
import type { WorkflowReceiver } from "./authenticity.js";
import type { WorkflowContext } from "./context.js";

/** A workflow: an async function whose steps are remembered. Its result is reported to the broker as JSON. */
export type RouteFunction<TInitialPayload, TResult = unknown, TPlatform = unknown> = (
  context: WorkflowContext<TInitialPayload, TPlatform>,
) => Promise<TResult>;

/** What a failure function is told. */
export interface FailureFunctionInput<TInitialPayload = unknown> {
  /** The run's context, without steps. */
  context: Omit<WorkflowContext<TInitialPayload>, "run" | "sleep" | "sleepUntil" | "cancel">;
  /** The status of the last answer. */
  failStatus: number;
  /** The error's message in the last answer. */
  failResponse: string;
  /** The headers of the last answer. */
  failHeaders: Record<string, string[]>;
  /** The error's stack in the last answer, or an empty text. */
  failStack: string;
}

/** How a payload is read. */
type PayloadOptions<TInitialPayload> =
  | { schema?: { parse(payload: unknown): TInitialPayload }; initialPayloadParser?: never }
  | { schema?: never; initialPayloadParser?: (initialPayload: string) => TInitialPayload };

export type WorkflowServeOptions<TInitialPayload = unknown> = {
  /** The client that steps are submitted through, or its settings. Default: `QSTASH_URL` and `QSTASH_TOKEN`. */
  qstashClient?: Client | Omit<ClientConfig, "baseUrl" | "token">;
  /** The endpoint's public URL, when it differs from the URL of the requests that arrive. */
  url?: string;
  /** Scheme and authority that replace those of the URL, behind a tunnel or proxy. Default: `UPSTASH_WORKFLOW_URL`. */
  baseUrl?: string;
  /**
   * Verifies every request. Default: the keys in the settings, if there are some; see {@link Receiver}.
   * `undefined`, given explicitly, turns the check off.
   */
  receiver?: Receiver | WorkflowReceiver | undefined;
  /** Whether a signature must have been made for the endpoint's URL. Default: `true`. */
  checkSubject?: boolean;
  /** Seconds that the broker's clock may be off. Default: 5. */
  clockTolerance?: number;
  /** Settings and `context.env`. Default: the bindings of the Worker, or the process's environment. */
  env?: Environment;
  /** Called when the run has failed for good. Its result goes into the answer. */
  failureFunction?: (failure: FailureFunctionInput<TInitialPayload>) => Promise<unknown> | unknown;
  /** Logs what happens in every invocation to the console. */
  verbose?: boolean;
  /** Accepted for callers of the official SDK: nothing is ever reported. */
  disableTelemetry?: boolean;
} & PayloadOptions<TInitialPayload>;

/** What an adapter decides for its users. */
export interface AdapterOptions {
  /** Whether a run that is started by calling the endpoint has a JSON payload, whatever the call says. */
  useJSONContent?: boolean;
}

/** A workflow's endpoint, in the shapes that frameworks want. Errors become answers: nothing here rejects. */
export interface ServedWorkflow {
  /** From a request to its response. */
  handler: (request: Request) => Promise<Response>;
  /** For a Next.js App Router route: `export const { POST } = serve(…)`. */
  POST: (request: Request) => Promise<Response>;
  /** For Workers and Pages functions: `export default serve(…)`. Bindings are the environment. */
  fetch: {
    (request: Request, env?: object, context?: unknown): Promise<Response>;
    (context: { request: Request; env: object }): Promise<Response>;
  };
}
