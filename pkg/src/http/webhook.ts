/** Receives what a broker sends: messages, callbacks and failure callbacks, each verified before it is looked at. */
import type { WorkflowProvider } from "../engine/provider.js";
import { bindingsIn, processEnvironment } from "../environment.js";
import { OrchestrationError, SignatureError, WorkflowNonRetryableError } from "../errors.js";
import { jsonOrText } from "../json.js";
import { type OptionNames, optionsOf } from "../options.js";
import { maskText } from "../privacy/mask.js";
import { decodeBase64 } from "../qstash/helpers.js";
import { Guard, type VerifySignatureConfig } from "../receiver/guard.js";
import { KEYS, type Receiver } from "../receiver.js";
import { json, refusal } from "./answers.js";
import { bytesOf } from "./body.js";

/** What is told with every event. */
interface Delivered<TBody> {
  /** The message's id; the same in every try of its delivery. */
  messageId: string;
  /** How many tries came before. */
  retried: number;
  /** The schedule that sent it, if one did. */
  scheduleId: string | undefined;
  /** The name of the provider that the handler was made with. */
  provider: string | undefined;
  headers: Headers;
  /** The raw body of the request. */
  rawBody: string;
  /** The body, parsed if it is JSON. */
  body: TBody;
}

/** What a destination has answered to a message. */
export interface WorkflowWebhookAnswer {
  status: number;
  headers: Record<string, string[]>;
  /** The answer's body, as text. */
  body: string;
}

/**
 * A verified request of the broker. Callbacks are told by what their bodies hold, for nothing else tells them: a URL that is to
 * hear of callbacks should not be sent messages whose bodies somebody else makes up.
 */
export type WorkflowWebhookEvent<TBody = unknown> =
  | ({ type: "message" } & Delivered<TBody>)
  | ({
      /** `callback`: a message was answered. `failure`: it was given up, or the run that it belongs to has failed. */
      type: "callback" | "failure";
      answer: WorkflowWebhookAnswer;
      /** The message that was answered. */
      sourceMessageId: string;
      sourceUrl: string;
      /** Its body, as text. */
      sourceBody: string;
      maxRetries: number;
      /** The run, if the message was a workflow's. */
      workflowRunId: string | undefined;
      /** The dead letter that it became. */
      dlqId: string | undefined;
    } & Delivered<unknown>);

/** How a webhook is received. */
export interface WorkflowWebhookOptions<TBody = unknown>
  extends Pick<
    VerifySignatureConfig,
    "url" | "baseUrl" | "trustProxy" | "checkSubject" | "clockTolerance" | "replayStore"
  > {
  /** Whose events they are; its keys count if {@link secret} is absent. */
  provider?: WorkflowProvider | undefined;
  /** The key that the broker signs with. Default: the provider's, or `QSTASH_CURRENT_SIGNING_KEY`. */
  secret?: string | undefined;
  /** The key that comes after it, for rotation. Default: the provider's, or `QSTASH_NEXT_SIGNING_KEY`. */
  nextSecret?: string | undefined;
  /** The largest body in bytes; a callback holds two bodies in base64. Default: 16 MiB. */
  maxBodyBytes?: number | undefined;
  /** Settings. Default: a Worker's bindings, or the process's environment. */
  env?: object | undefined;
  /**
   * Handles an event. When it rejects, the answer is 500 and the broker tries again; with {@link WorkflowNonRetryableError} it
   * does not. Deliveries are at least once: `messageId` tells those that came before.
   */
  onEvent: (event: WorkflowWebhookEvent<TBody>) => unknown;
}

/** A handler, as a route of Next.js wants it, and called with a Worker's bindings. */
export type WorkflowWebhookHandler = (request: Request, env?: object) => Promise<Response>;

/**
 * Makes a route handler that verifies the broker's signature, with key rotation, and then tells of the event.
 *
 * ```ts
 * export const POST = createWorkflowWebhookHandler({
 *   provider: engine.provider(),
 *   onEvent: async (event) => {
 *     if (event.type === "failure") await alert(event.workflowRunId, event.answer.body);
 *   },
 * });
 * ```
 *
 * @throws {OrchestrationError} `InvalidConfiguration` without `onEvent`
 */
export function createWorkflowWebhookHandler<TBody = unknown>(
  options: WorkflowWebhookOptions<TBody>,
): WorkflowWebhookHandler {
  const { provider, onEvent } = optionsOf("createWorkflowWebhookHandler", options, NAMES);
  if (typeof onEvent !== "function")
    throw new OrchestrationError("createWorkflowWebhookHandler needs onEvent, a function", "InvalidConfiguration");
  const guards = new WeakMap<object, Guard>();
  const guardOf = (env: object): Guard => {
    const known = guards.get(env) ?? new Guard({ ...options, ...keysOf(options, env), env });
    guards.set(env, known);
    return known;
  };
  return async (request, bindings) => {
    try {
      if (request.method !== "POST")
        throw new OrchestrationError(`a webhook takes POST, not ${request.method}`, "MethodNotAllowed");
      const { url, headers } = request;
      if (!headers.has("upstash-signature"))
        throw new SignatureError("the request carries no signature in 'Upstash-Signature'", "SignatureMissing");
      const bytes = await bytesOf(request, options.maxBodyBytes ?? MAX_BODY_BYTES);
      const rawBody = new TextDecoder().decode(bytes);
      const env = options.env ?? bindingsIn(bindings) ?? processEnvironment();
      const header = (name: string) => headers.get(name);
      const refused = await guardOf(env).refusal({ url, header, body: bytes });
      if (refused) throw new SignatureError(refused.text);
      await onEvent(eventOf(headers, rawBody, provider?.name) as WorkflowWebhookEvent<TBody>);
      return json({ received: true });
    } catch (error) {
      if ((error as Error | undefined)?.name !== WorkflowNonRetryableError.name) return refusal(error, request);
      const message = maskText((error as Error).message);
      return json({ error: "WorkflowNonRetryableError", message }, 489, { "upstash-nonretryable-error": "true" });
    }
  };
}

const MAX_BODY_BYTES = 16 << 20;

const NAMES: OptionNames<WorkflowWebhookOptions> = {
  ...{ provider: true, secret: true, nextSecret: true, onEvent: true, env: true, maxBodyBytes: true, url: true },
  ...{ baseUrl: true, trustProxy: true, checkSubject: true, clockTolerance: true, replayStore: true },
};

/** The keys that count: those given, or the provider's. None at all is refused when a request comes. */
function keysOf({ secret, nextSecret, provider }: WorkflowWebhookOptions<never>, env: object) {
  if (secret !== undefined) return { currentSigningKey: secret, nextSigningKey: nextSecret ?? secret, devMode: false };
  const receiver = provider?.endpoint?.().receiver;
  if (receiver === undefined || !(KEYS in receiver)) return {};
  const { currentSigningKey, nextSigningKey, devMode } = (receiver as Receiver)[KEYS](env as never);
  return { currentSigningKey, nextSigningKey, devMode };
}

function eventOf(headers: Headers, rawBody: string, provider: string | undefined): WorkflowWebhookEvent {
  const body = jsonOrText(rawBody);
  const delivered: Delivered<unknown> = {
    messageId: headers.get("upstash-message-id") ?? "",
    retried: Number(headers.get("upstash-retried") ?? 0),
    scheduleId: headers.get("upstash-schedule-id") ?? undefined,
    provider,
    headers,
    rawBody,
    body,
  };
  if (!isCallback(body)) return { type: "message", ...delivered };
  return {
    type: isFailure(body) ? "failure" : "callback",
    ...delivered,
    answer: { status: body.status, headers: body.header ?? {}, body: textOf(body.body) },
    sourceMessageId: body.sourceMessageId,
    sourceUrl: body.url ?? "",
    sourceBody: textOf(body.sourceBody),
    maxRetries: body.maxRetries ?? 0,
    workflowRunId: body.workflowRunId,
    dlqId: body.dlqId,
  };
}

/** The body of a callback (upstash.com/docs/qstash/features/callbacks). Bodies in it are base64. */
interface Callback {
  status: number;
  header?: Record<string, string[]>;
  body?: string;
  retried?: number;
  maxRetries?: number;
  sourceMessageId: string;
  sourceBody?: string;
  url?: string;
  dlqId?: string;
  workflowRunId?: string;
}

function isCallback(body: unknown): body is Callback {
  if (typeof body !== "object" || body === null) return false;
  const { status, sourceMessageId } = body as Partial<Callback>;
  return typeof status === "number" && typeof sourceMessageId === "string";
}

/** A failure callback alone names the dead letter; a callback of the last try that failed is one in all but name. */
const isFailure = ({ dlqId, workflowRunId, status }: Callback): boolean =>
  dlqId !== undefined || (workflowRunId !== undefined && (status < 200 || status >= 300));

const textOf = (base64: string | undefined): string => decodeBase64(base64 ?? "");
