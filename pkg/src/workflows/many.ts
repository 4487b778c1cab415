/** Several workflows behind one endpoint, told apart by the end of its URL. */
import { WorkflowError } from "../errors.js";
import type { RouteFunction, WorkflowServeOptions } from "./options.js";
import type { InvokableWorkflow } from "./steps.js";

/** Options for all workflows of an endpoint. An option of the workflow itself comes first. */
export type ServeManyOptions = Omit<WorkflowServeOptions, "env" | "url" | "schema" | "initialPayloadParser">;

// biome-ignore lint/suspicious/noExplicitAny: every workflow has a payload and a result of its own
export type Workflows = Record<string, InvokableWorkflow<any, any>>;

/** Makes a workflow for `serveMany` and `context.invoke`. */
export function createWorkflow<TInitialPayload = unknown, TResult = unknown>(
  // biome-ignore lint/suspicious/noExplicitAny: see InvokableWorkflow
  routeFunction: RouteFunction<TInitialPayload, TResult, any>,
  options: WorkflowServeOptions<TInitialPayload, TResult> = {},
): InvokableWorkflow<TInitialPayload, TResult> {
  return { routeFunction, options, workflowId: undefined };
}

/** What an adapter says of its framework. */
interface Platform<TArgs extends unknown[], TAnswer> {
  /** The URL that a handler was called for. */
  urlOf: (...args: TArgs) => string;
  // biome-ignore lint/suspicious/noExplicitAny: see Workflows
  serve: (routeFunction: any, options: any) => (...args: TArgs) => TAnswer;
  /** Answers a request that no workflow is there for. */
  answer: (response: Response, args: TArgs) => TAnswer;
}

/**
 * Serves workflows under their names: the one whose name follows the last `/` of the URL is called.
 *
 * @throws {WorkflowError} for a name with a `/`
 */
export function serveManyBase<TArgs extends unknown[], TAnswer>(
  workflows: Workflows,
  options: ServeManyOptions | undefined,
  { urlOf, serve, answer }: Platform<TArgs, TAnswer>,
): (...args: TArgs) => TAnswer {
  const handlers = new Map<string, (...args: TArgs) => TAnswer>();
  for (const [workflowId, workflow] of Object.entries(workflows)) {
    if (workflowId.includes("/")) {
      throw new WorkflowError(
        `Invalid workflow name found: '${workflowId}'. Workflow name cannot contain '/'.`,
        "InvalidConfiguration",
        false,
      );
    }
    // `context.invoke` reads both.
    workflow.workflowId = workflowId;
    workflow.options = { ...options, ...workflow.options };
    handlers.set(workflowId, serve(workflow.routeFunction, workflow.options));
  }
  return (...args) => {
    const name = nameIn(urlOf(...args));
    const handler = handlers.get(name);
    return handler ? handler(...args) : answer(unknown(name), args);
  };
}

/** {@link serveManyBase} for platforms that take a `Response` as it is. */
export const serveManyResponses = <TArgs extends unknown[]>(
  workflows: Workflows,
  options: ServeManyOptions | undefined,
  platform: Omit<Platform<TArgs, Promise<Response>>, "answer">,
): ((...args: TArgs) => Promise<Response>) =>
  serveManyBase(workflows, options, { ...platform, answer: async (response) => response });

const nameIn = (url: string): string => url.split("/").at(-1)?.split("?")[0] ?? "";

/** As the official SDK answers. */
function unknown(name: string): Response {
  const reason = name
    ? `No workflows in serveMany found for '${name}'.`
    : "Unexpected request in serveMany. workflowId not set.";
  return new Response(`${reason} Please update the URL of your request.`, {
    status: 404,
    headers: { "upstash-workflow-sdk-version": "1" },
  });
}
