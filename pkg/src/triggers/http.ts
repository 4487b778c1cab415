/** Runs that requests start. */
import type { Trigger } from "../engine/trigger.js";
import { OrchestrationError } from "../errors.js";
import { bytesOf, checkMethod, payloadOf } from "./payload.js";
import { hashedRunId } from "./run-id.js";
import { base, checked, type RequestTriggerOptions, started } from "./trigger.js";

/** Who may pull a trigger: it has to be said, so that none is open by mistake. */
export type TriggerAccess =
  | {
      /** `false` is answered with 403, a response as it is. */
      authorize: (request: Request) => boolean | Response | Promise<boolean | Response>;
      public?: false | undefined;
    }
  | {
      /** Everybody may. */
      public: true;
      authorize?: undefined;
    };

/** How requests start runs. */
export type HttpTriggerOptions<TInput = unknown, TPayload = TInput> = RequestTriggerOptions<TInput, TPayload> &
  TriggerAccess & {
    /** Default: POST. The payload of GET is the query. */
    methods?: readonly ("GET" | "POST")[] | undefined;
    /** Requests with the same key start one run. Default: the header `Idempotency-Key`. */
    idempotencyKey?: ((request: Request) => string | null | undefined) | undefined;
  };

/**
 * Starts a run by a request to `<the engine's url>/triggers/<name>`. Answers 202 with the run's id.
 *
 * ```ts
 * const orders = httpTrigger({
 *   name: "orders",
 *   workflow: order,
 *   authorize: (request) => request.headers.get("x-key") === process.env.SHOP_KEY,
 * });
 * ```
 *
 * @throws {OrchestrationError} `InvalidConfiguration` with neither `authorize` nor `public: true`
 */
export function httpTrigger<TInput = unknown, TPayload = TInput>(
  options: HttpTriggerOptions<TInput, TPayload>,
): Trigger {
  const { name, methods, maxBodyBytes, idempotencyKey = keyIn } = options;
  const authorize = options.public === true ? () => true : options.authorize;
  if (typeof authorize !== "function")
    throw new OrchestrationError(
      `the trigger '${name}' needs the option authorize, or public: true if everybody may start runs by it`,
      "InvalidConfiguration",
    );
  return {
    ...base("http", options),
    async handle(request, host) {
      checkMethod(request, name, methods);
      const verdict = await authorize(request.clone());
      if (typeof verdict === "object") return verdict;
      if (verdict !== true) throw new OrchestrationError(`pulling the trigger '${name}' is not allowed`, "Forbidden");
      const given =
        request.method === "GET" ? queryOf(request) : payloadOf(request, await bytesOf(request, maxBodyBytes));
      const payload = await checked(options, given);
      const key = idempotencyKey(request);
      return started(host, options, payload, request, key ? await hashedRunId(name, key) : undefined);
    },
  };
}

const keyIn = ({ headers }: Request) => headers.get("idempotency-key");

const queryOf = ({ url }: Request) => Object.fromEntries(new URL(url).searchParams);
