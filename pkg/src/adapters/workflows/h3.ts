/** Workflows in H3: Nitro, Nuxt, and h3 alone. The platform is the event. */

import { onlyPost } from "../fetch.js";
import { type H3Event, isEventHandler, methodOfEvent, requestOfEvent, urlOfEvent } from "../h3.js";
import {
  createWorkflow,
  type ManyOptions,
  type Options,
  type Route,
  serveBase,
  serveManyResponses,
  type Workflows,
} from "../workflow.js";

export { createWorkflow };

/** A workflow as an event handler: `export default serve(…).handler`. */
export function serve<TInitialPayload = unknown, TResult = unknown, TEvent extends H3Event = H3Event>(
  routeFunction: Route<TInitialPayload, TResult, TEvent>,
  options?: Options<TInitialPayload, TResult>,
): { handler: (event: TEvent) => Promise<Response> } {
  const answer = serveBase(routeFunction, options);
  const handler = async (event: TEvent) => onlyPost(methodOfEvent(event)) ?? answer(await requestOfEvent(event), event);
  return { handler: isEventHandler(handler) };
}

/** Workflows as one event handler, such as `server/api/workflows/[...any].ts`. */
export function serveMany(workflows: Workflows, options?: ManyOptions) {
  const handler = serveManyResponses(workflows, options, {
    urlOf: (event: H3Event) => urlOfEvent(event),
    serve: (...workflow) => serve(...workflow).handler,
  });
  return { handler: isEventHandler(handler) };
}
