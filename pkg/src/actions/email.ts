/** E-mails by Resend as steps. */
import type { Step } from "../steps/step.js";
import type { SendEmail } from "../workflows/api.js";
import type { CallSettings } from "../workflows/steps.js";
import { action, type Dynamic, type Dynamics, resolved } from "./action.js";
import { type RequestOptions, requested } from "./request.js";
import { setting } from "./secrets.js";

const RESEND = "https://api.resend.com";

/** An e-mail, as Resend takes it. */
export type EmailFields = Omit<SendEmail, "to" | "headers" | "attachments"> & {
  to: string | string[];
  headers?: Record<string, string>;
  /** `content` is base64; `path` is an address that Resend fetches. */
  attachments?: { filename?: string; content?: string; path?: string; content_type?: string; content_id?: string }[];
};

/** An e-mail. All of it may be a function of the step's input. */
export type EmailActionConfig<TInput = unknown> = Dynamics<TInput, EmailFields> &
  RequestOptions<TInput> & {
    /** Default: `RESEND_API_KEY`. */
    token?: Dynamic<TInput, string | undefined>;
    /** What stands before `/emails`. Default: `https://api.resend.com`. */
    baseURL?: Dynamic<TInput, string | undefined>;
    /** Resend sends what has the same key once a day. Default: one for each step of each run. */
    idempotencyKey?: Dynamic<TInput, string | undefined>;
  };

/** What Resend answers. */
export interface EmailActionResult {
  id: string;
}

/**
 * An e-mail by Resend as a step. In a run the broker sends it, and a repeated request sends no second one.
 *
 * ```ts
 * const welcome = emailAction("welcome", {
 *   from: "Shop <hello@shop.test>",
 *   to: (user: User) => user.email,
 *   subject: "Welcome",
 *   html: ({ name }) => `<p>Hello ${name}</p>`,
 * });
 * ```
 *
 * Rejects with a `WorkflowCallError` (code `CallFailed`, with `status` and `body`) if Resend refuses it.
 */
export const emailAction = <TInput = unknown>(
  name: string,
  config: EmailActionConfig<TInput>,
): Step<TInput, EmailActionResult> =>
  action(name, async (input: TInput, runner) => {
    const options = resolved<Resolved>(config as Dynamics<never, Resolved>, input);
    const { token: given, baseURL = RESEND, idempotencyKey = runner.uuid(), ...rest } = options;
    const { retries, retryDelay, timeout, flowControl, ...email } = rest;
    const token = setting(name, "token", given, "RESEND_API_KEY", runner);
    const request = {
      ...resolved<Partial<CallSettings>>({ retries, retryDelay, timeout, flowControl } as never, input),
      url: `${baseURL.replace(/\/+$/, "")}/emails`,
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Idempotency-Key": idempotencyKey },
      body: email,
    } as const;
    return requested(runner, name, request, async ({ body }) => resultOf(body));
  });

type Resolved = EmailFields &
  Omit<CallSettings, "url" | "method" | "body" | "headers" | "expect"> & {
    token?: string;
    baseURL?: string;
    idempotencyKey?: string;
  };

function resultOf(body: unknown): EmailActionResult {
  const { id } = Object(body) as { id?: unknown };
  if (typeof id !== "string") throw new Error("expected { id }");
  return { id };
}
