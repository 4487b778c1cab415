/** Runs that requests start. */
import type { Trigger } from "../engine/trigger.js";
import { OrchestrationError } from "../errors.js";
import { isResponse } from "../http/answers.js";
import { bytesOf } from "../http/body.js";
import { refuseForeign } from "../http/origin.js";
import { checkMethod, payloadOf } from "./payload.js";
import { hashedRunId } from "./run-id.js";
import { base, checked, type RequestTriggerOptions, started } from "./trigger.js";

/** Who may pull a trigger: it has to be said, so that none is open by mistake. */
export type TriggerAccess =
  | {
      /** Only `true` lets a request in. A response is answered as it is, anything else with 403. */
      authorize: (request: Request) => boolean | Response | Promise<boolean | Response>;
      public?: false | undefined;
      /**
       * Origins besides the trigger's own whose pages may pull it, such as `https://shop.example.com`, by forms and the like:
       * headers of CORS are not answered.
       */
      allowedOrigins?: readonly string[] | undefined;
    }
  | {
      /** Everybody may, and any page. */
      public: true;
      authorize?: undefined;
      allowedOrigins?: undefined;
    };

/** How requests start runs. */
export type HttpTriggerOptions<TInput = unknown, TPayload = TInput> = RequestTriggerOptions<TInput, TPayload> &
  TriggerAccess & {
    /** Default: POST. The payload of GET is the query. */
    methods?: readonly ("GET" | "POST")[] | undefined;
    /**
     * Requests with the same key and the same payload start one run; with another payload it is another run. Default: the header
     * `Idempotency-Key`.
     */
    idempotencyKey?: ((request: Request) => string | null | undefined) | undefined;
    /** Who asks, such as the id of a user: each has keys of their own. Default: keys are those of all. */
    identify?: ((request: Request) => string | null | undefined | Promise<string | null | undefined>) | undefined;
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
  const { name, methods, maxBodyBytes, idempotencyKey = keyIn, identify, allowedOrigins = [] } = options;
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
      if (!options.public) refuseForeign(request, allowedOrigins);
      const verdict = await authorize(request.clone());
      if (isResponse(verdict)) return verdict;
      if (verdict !== true) throw new OrchestrationError(`pulling the trigger '${name}' is not allowed`, "Forbidden");
      const body = request.method === "GET" ? new URL(request.url).search : await bytesOf(request, maxBodyBytes);
      const payload = await checked(options, typeof body === "string" ? queryOf(body) : payloadOf(request, body));
      const key = idempotencyKey(request);
      const caller = key && identify ? await identify(request) : undefined;
      return started(
        host,
        options,
        payload,
        request,
        key ? await hashedRunId(name, key, caller ?? "", body) : undefined,
      );
    },
  };
}

const keyIn = ({ headers }: Request) => headers.get("idempotency-key");

const queryOf = (search: string) => Object.fromEntries(new URLSearchParams(search));
