/** Workflows for handlers from `Request` to `Response`: Deno, Bun, Node's `fetch` servers. The platform is the request. */
import { createWorkflow, type ServeManyOptions, serveManyResponses, type Workflows } from "../../workflows/many.js";
import type { ServedWorkflow } from "../../workflows/options.js";
import { serve } from "../../workflows/serve.js";

export { createWorkflow, serve };

/** Workflows as one endpoint, in the shapes that {@link serve} has: the name of one is the end of the URL's path. */
export function serveMany(workflows: Workflows, options?: ServeManyOptions): ServedWorkflow {
  const handler = serveManyResponses(workflows, options, {
    urlOf: (first: Request | { request: Request }, _env?: object) => ("request" in first ? first.request : first).url,
    serve: (...workflow) =>
      serve(...workflow).fetch as (first: Request | { request: Request }, env?: object) => Promise<Response>,
  });
  return { handler, POST: handler, fetch: handler };
}
