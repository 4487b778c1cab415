/** A request as a step. */
import { OrchestrationError } from "../../errors.js";
import type { PayloadSchema } from "../../workflows/schema.js";
import type { CallResponse, CallSettings } from "../../workflows/steps.js";
import { fitting, type Step, stepOf } from "../step.js";

/** A value, or what makes it of the step's input: at once, and the same whenever it is asked. */
export type FromInput<TInput, TValue> = TValue | ((input: TInput) => TValue);

/** What can be sent: text and bytes as they are, anything else as JSON. */
export type HttpBody = string | Uint8Array | ArrayBuffer | object | number | boolean | null;

/** The request that a step makes, and what it has to be answered. */
export interface HttpStepOptions<TInput, TBody>
  extends Pick<CallSettings, "method" | "retries" | "retryDelay" | "timeout" | "flowControl"> {
  url: FromInput<TInput, string>;
  headers?: FromInput<TInput, Readonly<Record<string, string>>> | undefined;
  body?: FromInput<TInput, HttpBody | undefined> | undefined;
  /** The statuses that count as success; the step rejects with a `WorkflowCallError` otherwise. Default: 2xx. */
  expect?: CallSettings["expect"];
  /** What the answer's body has to be. Its output is the body of the step's result. */
  response?: PayloadSchema<TBody> | undefined;
}

/**
 * A step that makes a request. In a run the broker makes it, for up to hours, while nothing of the workflow is running.
 *
 * ```ts
 * const user = createHttpStep("user", { url: (id: number) => `https://api.example.com/users/${id}`, response: userSchema });
 * ```
 */
export function createHttpStep<TInput = unknown, TBody = unknown>(
  name: string,
  options: HttpStepOptions<TInput, TBody>,
): Step<TInput, CallResponse<TBody>> {
  const { url, headers, body, expect = "2xx", response: schema, ...rest } = options;
  return stepOf(name, async (input: TInput, runner): Promise<CallResponse<TBody>> => {
    const settings = { ...rest, expect, url: given(name, "url", url, input), ...sent(name, body, headers, input) };
    const response = await runner.call<TBody>(name, settings as CallSettings);
    return schema ? { ...response, body: await fitting(name, "response", response.body, schema) } : response;
  });
}

function sent<TInput>(
  name: string,
  body: FromInput<TInput, HttpBody | undefined> | undefined,
  headers: FromInput<TInput, Readonly<Record<string, string>>> | undefined,
  input: TInput,
): Pick<CallSettings, "body" | "headers"> {
  const own = given(name, "headers", headers, input) ?? {};
  const value = given(name, "body", body, input);
  if (value === undefined) return { headers: own };
  if (typeof value === "string" || value instanceof ArrayBuffer || ArrayBuffer.isView(value))
    return { headers: own, body: value as string | Uint8Array };
  const isTyped = Object.keys(own).some((header) => header.toLowerCase() === "content-type");
  return { headers: isTyped ? own : { ...own, "content-type": "application/json" }, body: JSON.stringify(value) };
}

function given<TInput, TValue>(step: string, what: string, from: FromInput<TInput, TValue>, input: TInput): TValue {
  const value = typeof from === "function" ? (from as (input: TInput) => TValue)(input) : from;
  if (typeof (value as PromiseLike<unknown> | undefined)?.then !== "function") return value;
  throw new OrchestrationError(
    `the ${what} of step '${step}' must be known at once, not by a promise: have a step before it find it out`,
    "InvalidConfiguration",
  );
}
