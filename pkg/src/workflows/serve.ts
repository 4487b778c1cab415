/** Serves a workflow to the broker. */
import { headerText, reasonOf } from "../broker.js";
import { core } from "../core/core.js";
import { digestOf } from "../core/digest.js";
import { beginDevelopment } from "../development.js";
import { type Environment, processEnvironment, settingsIn } from "../environment.js";
import { OrchestrationError } from "../errors.js";
import { statusOf } from "./authenticity.js";
import { refusal } from "./authorization.js";
import { Execution } from "./execution.js";
import { Observer } from "./observer.js";
import type { AdapterOptions, RouteFunction, ServedWorkflow, WorkflowServeOptions } from "./options.js";
import { middlewaresOf, regionOf, type Served, served } from "./settings.js";

/**
 * Makes an endpoint of a workflow.
 *
 * ```ts
 * export const { POST } = serve<{ orderId: number }>(async (context) => {
 *   const order = await context.run("load", () => load(context.requestPayload.orderId));
 *   await context.sleep("cool down", "10s");
 *   await context.run("ship", () => ship(order));
 * });
 * ```
 */
export function serve<TInitialPayload = unknown, TResult = unknown>(
  routeFunction: RouteFunction<TInitialPayload, TResult, Request>,
  options: WorkflowServeOptions<TInitialPayload, TResult> = {},
): ServedWorkflow {
  const answer = serveBase(routeFunction, options);
  const handler = (request: Request) => answer(request, request);
  return {
    handler,
    POST: handler,
    fetch: (first: Request | { request: Request; env: object }, env?: object) =>
      "request" in first ? answer(first.request, first.request, first.env) : answer(first, first, env),
  };
}

/**
 * What answers requests, for adapters: `platform` becomes the context's, `bindings` are settings that come with the request.
 * Errors become answers: it doesn't reject.
 */
export type Answer = (request: Request, platform: unknown, bindings?: object) => Promise<Response>;

/** The endpoint of a workflow, which every adapter's `serve` puts into its framework's shape. */
export function serveBase<TInitialPayload, TResult, TPlatform>(
  routeFunction: RouteFunction<TInitialPayload, TResult, TPlatform>,
  options: WorkflowServeOptions<TInitialPayload, TResult> = {},
  adapter: AdapterOptions = {},
): Answer {
  const workflow = new Workflow(routeFunction as Route, options as unknown as WorkflowServeOptions<unknown>, adapter);
  return (request, platform, bindings) => workflow.answer(request, platform, bindings);
}

type Route = RouteFunction<unknown>;

class Workflow {
  readonly #route: Route;
  readonly #options: WorkflowServeOptions<unknown>;
  readonly #adapter: AdapterOptions;
  /** By environment, for a Worker gets its bindings with every request; and by the region that a delivery comes from. */
  readonly #served = new WeakMap<object, Map<string | undefined, Promise<Served>>>();

  constructor(route: Route, options: WorkflowServeOptions<unknown>, adapter: AdapterOptions) {
    this.#route = route;
    this.#options = options;
    this.#adapter = adapter;
    // Before the first request: what the broker has kept from before is waiting to be delivered.
    beginDevelopment({ environment: settingsIn(options.env ?? processEnvironment()) });
  }

  async answer(request: Request, platform: unknown, bindings?: object): Promise<Response> {
    const observer = new Observer(middlewaresOf(this.#options));
    try {
      if (observer.isWanted) await observer.debug("onInfo", { info: "Received request for workflow execution." });
      const { method, url, headers } = request;
      const body = new Uint8Array(await request.arrayBuffer());
      const refused = await refusal(this.#options, request, body);
      if (refused) return refused;
      const [bindingsOfCore, served, digest] = await Promise.all([
        core(),
        this.#serve(bindings, headers),
        digestOf(body),
      ]);
      await served.authenticate?.(request, body, served.endpoint.subject(url));
      const engine = new bindingsOfCore.Invocation(
        served.endpoint,
        method,
        url,
        headerText(headers),
        body,
        digest,
        Date.now(),
      );
      const under = { ...served, platform };
      return await new Execution(bindingsOfCore, engine, under, this.#route, this.#options, observer).perform();
    } catch (error) {
      await observer.debug("onError", { error: error as Error }).catch(() => {});
      return unserved(error);
    }
  }

  #serve(bindings: object | undefined, headers: Headers): Promise<Served> {
    const env = (this.#options.env ?? bindings ?? processEnvironment()) as Environment;
    const region = regionOf(headers, env);
    const regions = this.#served.get(env) ?? new Map<string | undefined, Promise<Served>>();
    this.#served.set(env, regions);
    let made = regions.get(region);
    if (!made) {
      made = served(this.#options, env, this.#adapter, region);
      made.catch(() => regions.delete(region));
      regions.set(region, made);
    }
    return made;
  }
}

/** The answer before the engine is reached: a receiver refuses, the core does not load, or the body was read before. */
function unserved(error: unknown): Response {
  const code = error instanceof OrchestrationError ? error.code : "Internal";
  const body = { error: code, message: reasonOf(error), stack: error instanceof Error ? error.stack : undefined };
  return new Response(JSON.stringify(body), {
    status: statusOf(error),
    headers: { "content-type": "application/json", "upstash-workflow-sdk-version": "1" },
  });
}
