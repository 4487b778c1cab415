/** The options of `serve`, named as the official SDK names them. */
import type { ClientConfig } from "../config.js";
import type { Environment } from "../environment.js";
import type { FlowControl } from "../messages.js";
import type { Client } from "../qstash.js";
import type { Receiver } from "../receiver.js";
import type { WorkflowReceiver } from "./authenticity.js";
import type { WorkflowContext } from "./context.js";
import type { WorkflowMiddleware } from "./middleware.js";
import type { PayloadSchema } from "./schema.js";

/** A workflow: an async function whose steps are remembered. Its result is reported to the broker as JSON. */
export type RouteFunction<TInitialPayload, TResult = unknown, TPlatform = unknown> = (
  context: WorkflowContext<TInitialPayload, TPlatform>,
) => Promise<TResult>;

/** A client of QStash, as far as a workflow needs one: that of this package or of the official one. */
export type WorkflowClient = Pick<Client, "publish" | "publishJSON" | "batch" | "batchJSON" | "queue">;

/** A client of the official SDK: its address, token and headers are taken from it. */
export interface OfficialClient {
  readonly http: object;
}

/** A context without what asks for steps. */
export type WorkflowContextWithoutMethods<TInitialPayload> = Omit<
  WorkflowContext<TInitialPayload>,
  | "run"
  | "sleep"
  | "sleepUntil"
  | "call"
  | "waitForEvent"
  | "notify"
  | "invoke"
  | "createWebhook"
  | "waitForWebhook"
  | "patch"
  | "cancel"
  | "api"
>;

/** What a failure function is told. */
export interface FailureFunctionInput<TInitialPayload = unknown> {
  /** The run's context, without steps. */
  context: WorkflowContextWithoutMethods<TInitialPayload>;
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
export type ExclusiveValidationOptions<TInitialPayload> =
  | {
      /**
       * What the payload has to be: any validator of the Standard Schema (zod, valibot, arktype), or with `parse`. A payload
       * that does not fit fails the run without another try.
       */
      schema?: PayloadSchema<TInitialPayload>;
      initialPayloadParser?: never;
    }
  | { schema?: never; initialPayloadParser?: (initialPayload: string) => TInitialPayload };

export type WorkflowServeOptions<TInitialPayload = unknown, TResult = unknown> = {
  /** The client that steps are submitted through, or its settings. Default: `QSTASH_URL` and `QSTASH_TOKEN`. */
  qstashClient?: Client | OfficialClient | Omit<ClientConfig, "baseUrl" | "token">;
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
  /**
   * Decides who may start and resume runs; it is asked before anything else. `false` is answered with 403, a response as
   * it is. With it a workflow may return before its first step, or have none; without, that refuses the request.
   */
  authorize?: (request: Request) => boolean | Response | Promise<boolean | Response>;
  /** Who is told when a run fails that was started by calling the endpoint. The client's `trigger` has its own option. */
  failureUrl?: string;
  /** How many tries of a delivery may follow the first, in runs that are started by calling the endpoint. Default: 3. */
  retries?: number;
  /** An expression for the delay before a retry, in milliseconds, in runs that are started by calling the endpoint. */
  retryDelay?: string;
  /** Limits for the deliveries of runs that are started by calling the endpoint. */
  flowControl?: FlowControl;
  /** Are told what happens. */
  middlewares?: WorkflowMiddleware<TInitialPayload, TResult>[];
  /** Logs what happens in every invocation to the console. */
  verbose?: boolean;
  /** Accepted for callers of the official SDK: nothing is ever reported. */
  disableTelemetry?: boolean;
} & ExclusiveValidationOptions<TInitialPayload>;

/** {@link WorkflowServeOptions}, by the name of former versions of the official SDK. */
export type PublicServeOptions<TInitialPayload = unknown, TResult = unknown> = WorkflowServeOptions<
  TInitialPayload,
  TResult
>;

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
