/** An engine over HTTP, for browsers and other programs. */
import type { WorkflowEngine } from "../engine/api.js";
import { isDeveloping, processEnvironment } from "../environment.js";
import { OrchestrationError } from "../errors.js";
import { type OptionNames, optionsOf } from "../options.js";
import type { RateLimiter } from "../resilience/rate-limiter.js";
import { type RateLimitedBy, withRateLimit } from "../resilience/with-rate-limit.js";
import { isResponse, refusal } from "./answers.js";
import { FOLLOW, type FollowOptions } from "./events.js";
import { refuseForeign } from "./origin.js";
import { routed, type WorkflowApiAction } from "./routes.js";

/** What a request is about to do. */
export interface WorkflowApiRequest {
  action: WorkflowApiAction;
  /** The workflow's id, the run's, the event's or the schedule's, if the path names one. */
  target: string | undefined;
}

/** How the API is served. */
export interface WorkflowApiOptions {
  engine: WorkflowEngine;
  /**
   * Who may do what. `false` is answered with 403, a response as it is. Without it everybody may do everything in development
   * (`NODE_ENV` is `development` or `test`), and nobody anything elsewhere.
   */
  authorize?:
    | ((request: Request, asked: WorkflowApiRequest) => boolean | Response | Promise<boolean | Response>)
    | undefined;
  /**
   * How often a client may ask, such as `{ limit: 100, window: "1m" }`, or a limiter of your own. Requests count by the client's
   * address unless `identifier` says otherwise; whoever asks too often is answered with 429.
   */
  rateLimit?: RateLimiter | RateLimitedBy<[Request]> | undefined;
  /** What stands before the paths of the API. Default: `/api/orchestration`. */
  basePath?: string | undefined;
  /**
   * Origins besides the API's own whose pages may use it, such as `https://admin.example.com`: they may read answers (CORS, with
   * cookies) and change something.
   */
  allowedOrigins?: readonly string[] | undefined;
  /** How runs are followed. */
  follow?: Partial<FollowOptions> | undefined;
}

const NAMES: OptionNames<WorkflowApiOptions> = {
  ...{ engine: true, authorize: true, rateLimit: true, basePath: true, allowedOrigins: true, follow: true },
};

type Handler = (request: Request, context?: unknown) => Promise<Response>;

/** The handlers of a catch-all route. */
export interface WorkflowApi {
  GET: Handler;
  POST: Handler;
  DELETE: Handler;
  /** What browsers ask before pages of {@link WorkflowApiOptions.allowedOrigins} send something. */
  OPTIONS: Handler;
  /** For frameworks with one handler for all methods. */
  handler: Handler;
}

const BASE_PATH = "/api/orchestration";

/**
 * The HTTP API of an engine: starts, shows and cancels runs, brings events, manages schedules, tells metrics and health. The
 * hooks of `@repo/orchestration/client/next` speak it.
 *
 * ```ts
 * // app/api/orchestration/[...path]/route.ts
 * export const { GET, POST, DELETE, OPTIONS } = createWorkflowApi({
 *   engine,
 *   authorize: async (request) => (await sessionOf(request))?.role === "admin",
 *   rateLimit: { limit: 100, window: "1m" },
 * });
 * ```
 */
export function createWorkflowApi(options: WorkflowApiOptions): WorkflowApi {
  const { engine, rateLimit, allowedOrigins = [] } = optionsOf("createWorkflowApi", options, NAMES);
  if (typeof engine?.executeWorkflow !== "function")
    throw new OrchestrationError(
      "createWorkflowApi needs an engine: createWorkflowEngine makes one",
      "InvalidConfiguration",
    );
  const answer = async (request: Request): Promise<Response> => {
    try {
      return await answered(request, options);
    } catch (error) {
      return refusal(error, request);
    }
  };
  const limited = rateLimit ? withRateLimit(answer, rateLimit) : answer;
  const handler: Handler = async (request) => {
    const origin = request.headers.get("origin") ?? "";
    const isAllowed = allowedOrigins.includes(origin);
    if (request.method === "OPTIONS") return preflight(isAllowed ? origin : undefined);
    const response = await limited(request);
    return isAllowed ? shared(response, origin) : response;
  };
  return { GET: handler, POST: handler, DELETE: handler, OPTIONS: handler, handler };
}

async function answered(request: Request, options: WorkflowApiOptions): Promise<Response> {
  const { engine, authorize, allowedOrigins = [], basePath = BASE_PATH, follow } = options;
  const url = new URL(request.url);
  const [route, parts] = routed(request.method, partsOf(url.pathname, basePath));
  if (route.method !== "GET") refuseForeign(request, allowedOrigins);
  const asked: WorkflowApiRequest = { action: route.action, target: parts[0] };
  const verdict = authorize ? await authorize(request, asked) : isDeveloping(processEnvironment().NODE_ENV);
  if (isResponse(verdict)) return verdict;
  if (verdict !== true)
    throw new OrchestrationError(
      authorize
        ? `${asked.action} is not allowed`
        : "the workflow API is closed: give createWorkflowApi an authorize function to say who may use it in production",
      "Forbidden",
    );
  return route.answer({ engine, request, parts, query: url.searchParams, follow: { ...FOLLOW, ...follow } });
}

/** The answer to what a browser asks before it sends a page's request. */
function preflight(origin: string | undefined): Response {
  if (origin === undefined)
    return refusal(new OrchestrationError("pages of this origin may not use the API: see allowedOrigins", "Forbidden"));
  const headers = {
    "access-control-allow-methods": "GET, POST, DELETE",
    "access-control-allow-headers": "authorization, content-type, last-event-id",
    "access-control-max-age": "600",
  };
  return shared(new Response(null, { status: 204, headers }), origin);
}

/** An answer that pages of an origin may read. */
function shared({ status, statusText, headers, body }: Response, origin: string): Response {
  const own = new Headers(headers);
  own.set("access-control-allow-origin", origin);
  own.set("access-control-allow-credentials", "true");
  own.set("access-control-expose-headers", "retry-after, ratelimit, ratelimit-policy");
  own.append("vary", "origin");
  return new Response(body, { status, statusText, headers: own });
}

/** @throws {OrchestrationError} `NotFound` beside the base path, `InvalidRequest` for a path that can't be read */
function partsOf(pathname: string, basePath: string): string[] {
  const base = basePath.replace(/\/+$/, "");
  if (!pathname.startsWith(`${base}/`))
    throw new OrchestrationError(`the API is at ${base}/; the option basePath says otherwise`, "NotFound");
  try {
    return pathname
      .slice(base.length + 1)
      .replace(/\/$/, "")
      .split("/")
      .map(decodeURIComponent);
  } catch {
    throw new OrchestrationError("the path is not percent-encoded as it should be", "InvalidRequest");
  }
}
