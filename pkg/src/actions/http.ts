/** HTTP requests as steps. */
import type { Step } from "../steps/step.js";
import type { PayloadSchema } from "../workflows/schema.js";
import type { CallExpectation, CallSettings } from "../workflows/steps.js";
import { action, type Dynamic, type DynamicBody, type Dynamics, resolved } from "./action.js";
import { fitting, type RequestOptions, requested } from "./request.js";

/** A request. Everything but `expect` and `response` may be a function of the step's input. */
export interface HttpActionConfig<TInput = unknown, TBody = unknown> extends RequestOptions<TInput> {
  url: Dynamic<TInput, string>;
  /** Default: GET, or POST if there is a body. */
  method?: Dynamic<TInput, CallSettings["method"]>;
  headers?: Dynamic<TInput, Record<string, string> | undefined>;
  /** Is added to the address. What is `undefined` is left out. */
  query?: Dynamic<TInput, Record<string, string | number | boolean | undefined> | undefined>;
  body?: DynamicBody<TInput> | undefined;
  /** Is sent as `Authorization: Bearer …`. */
  token?: Dynamic<TInput, string | undefined>;
  /** Which answers count as success. Default: `2xx`. */
  expect?: CallExpectation | undefined;
  /** What the answer's body has to be: a Standard Schema (zod, valibot, arktype), or `parse`. */
  response?: PayloadSchema<TBody> | undefined;
}

/** What a request was answered. */
export interface HttpActionResult<TBody = unknown> {
  status: number;
  /** By their names in lower case. */
  headers: Record<string, string>;
  /** Parsed, if it is JSON. */
  body: TBody;
}

/**
 * A request as a step. In a run the broker makes it, for up to hours, while nothing of the workflow is running.
 *
 * ```ts
 * const charge = httpAction("charge", {
 *   url: ({ orderId }: Order) => `https://api.shop.test/orders/${orderId}/charge`,
 *   method: "POST",
 *   token: () => process.env.SHOP_TOKEN,
 *   retries: 3,
 * });
 * ```
 *
 * Rejects with a `WorkflowCallError` (code `CallFailed`, with `status` and `body`) for an answer that is not expected, or
 * that does not fit `response`.
 */
export function httpAction<TInput = unknown, TBody = unknown>(
  name: string,
  config: HttpActionConfig<TInput, TBody>,
): Step<TInput, HttpActionResult<TBody>> {
  const { expect, response, ...dynamic } = config;
  return action(name, async (input: TInput, runner) => {
    const options = resolved<Resolved>(dynamic as Dynamics<never, Resolved>, input);
    const { url, query, token, headers, body, method = body === undefined ? "GET" : "POST", ...rest } = options;
    const request = {
      ...rest,
      url: withQuery(url, query),
      method,
      headers: token === undefined ? { ...headers } : { Authorization: `Bearer ${token}`, ...headers },
      body,
      ...(expect === undefined ? {} : { expect }),
    };
    return requested(runner, name, request, async (answer) => ({
      status: answer.status,
      headers: flat(answer.header),
      body: await fitting(answer.body, response),
    }));
  });
}

type Resolved = Omit<CallSettings, "body" | "expect"> & {
  body?: unknown;
  query?: Record<string, string | number | boolean | undefined>;
  token?: string;
};

function withQuery(url: string, query: Resolved["query"]): string {
  const added = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) added.append(name, String(value));
  const text = added.toString();
  if (text === "") return url;
  const [address = "", fragment] = url.split("#", 2);
  const joined = `${address}${address.includes("?") ? "&" : "?"}${text}`;
  return fragment === undefined ? joined : `${joined}#${fragment}`;
}

const flat = (header: Record<string, string[]>): Record<string, string> =>
  Object.fromEntries(Object.entries(header).map(([name, values]) => [name.toLowerCase(), [values].flat().join(", ")]));
