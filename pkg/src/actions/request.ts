/** Requests of actions: made by the broker in a run, and by `fetch` outside of one. */
import { WorkflowCallError, WorkflowError } from "../errors.js";
import type { FlowControl } from "../messages.js";
import { isSecretName } from "../privacy/mask.js";
import type { StepRunner } from "../steps/runner.js";
import type { PayloadSchema } from "../workflows/schema.js";
import type { CallResponse, CallSettings } from "../workflows/steps.js";
import { validated } from "../workflows/validation.js";
import { type Dynamic, typed, written } from "./action.js";
import { discreet } from "./secrets.js";

/** How a request is made. Retries and limits are the broker's: outside of a run a request is made once. */
export interface RequestOptions<TInput> {
  /** How many tries may follow the first. Default: none. */
  retries?: Dynamic<TInput, number | undefined>;
  /** An expression that gives the delay before a retry in milliseconds, such as `1000 * (1 + retried)`. */
  retryDelay?: Dynamic<TInput, string | undefined>;
  /** How long one try may take: seconds, or a duration. */
  timeout?: Dynamic<TInput, number | string | undefined>;
  flowControl?: Dynamic<TInput, FlowControl | undefined>;
}

/** A request, with a body that is written as JSON unless it is text or bytes. */
export type ActionRequest = Omit<CallSettings, "body"> & { body: unknown };

/**
 * Makes the request, and reads the answer. Rejects with a `WorkflowCallError` for an answer that is not expected, which is
 * 2xx unless said otherwise, and for one that `read` refuses: it is remembered as it is, so another try would not help.
 */
export function requested<TResult>(
  runner: StepRunner,
  name: string,
  { body: given, headers = {}, ...settings }: ActionRequest,
  read: (answer: CallResponse) => Promise<TResult>,
): Promise<TResult> {
  if (typeof settings.url !== "string")
    throw new WorkflowError(`the url of '${name}' must be a text, got ${typeof settings.url}`, "InvalidRequest", false);
  const { body, type } = written(given);
  const sent = { ...settings, headers: typed(headers, type), ...(body === undefined ? {} : { body }) };
  return discreet(secretsIn(headers), async () => {
    const answer = await runner.call(name, { expect: "2xx", ...sent });
    try {
      return await read(answer);
    } catch (error) {
      const refused = new WorkflowCallError(name, answer);
      refused.message = `the answer of '${name}' is not understood: ${(error as Error).message}`;
      throw refused;
    }
  });
}

/** A value as its schema has it; as it is without one. */
export async function fitting<T>(value: unknown, schema: PayloadSchema<T> | undefined): Promise<T> {
  if (!schema) return value as T;
  const result = await validated(value, schema);
  if ("value" in result) return result.value;
  throw new Error(`it does not fit its schema: ${result.issues}`);
}

/** The values of headers that hold secrets, with and without their scheme. */
const secretsIn = (headers: Record<string, string>): string[] =>
  Object.entries(headers)
    .filter(([name]) => isSecretName(name))
    .flatMap(([, value]) => [value, value.replace(/^\w+ /, "")])
    .filter((secret) => secret !== "");
