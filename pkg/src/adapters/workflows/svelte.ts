/** Workflows in SvelteKit. The platform is the event: `locals`, `platform`, `cookies`. */

import { bindingsIn } from "../../environment.js";
import {
  type ManyOptions,
  type Options,
  type Route,
  serveBase,
  serveManyResponses,
  type Workflows,
  createWorkflow as withName,
} from "../workflow.js";

const JSON_CONTENT = { useJSONContent: true };

/** What is looked at of an event. On Cloudflare, `platform.env` holds the bindings. */
export interface SvelteEvent {
  request: Request;
  url: URL;
  locals: object;
  platform?: unknown;
}

/** A workflow as an endpoint: `export const { POST } = serve(…, { env })`, with `env` of `$env/dynamic/private`. */
export function serve<TInitialPayload = unknown, TResult = unknown, TEvent extends SvelteEvent = SvelteEvent>(
  routeFunction: Route<TInitialPayload, TResult, TEvent>,
  options?: Options<TInitialPayload, TResult>,
): { POST: (event: TEvent) => Promise<Response> } {
  const answer = serveBase(routeFunction, options, JSON_CONTENT);
  const bindings = ({ platform }: TEvent) => bindingsIn((platform as { env?: unknown } | undefined)?.env);
  return { POST: (event) => answer(event.request, event, bindings(event)) };
}

/** Makes a workflow for {@link serveMany} and `context.invoke`. */
export const createWorkflow: typeof withName = (...workflow) => ({ ...withName(...workflow), ...JSON_CONTENT });

/** Workflows as one endpoint, such as `routes/workflows/[...any]/+server.ts`. */
export function serveMany(workflows: Workflows, options?: ManyOptions) {
  const POST = serveManyResponses(workflows, options, {
    urlOf: (event: SvelteEvent) => String(event.url),
    serve: (...workflow) => serve(...workflow).POST,
  });
  return { POST };
}
