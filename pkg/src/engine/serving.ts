/** Answers the requests that come to an engine's endpoints. */
import { isOrchestrationError, OrchestrationError } from "../errors.js";
import { refusal } from "../http/answers.js";
import type { WorkflowMiddleware } from "../workflows/middleware.js";
import type { WorkflowServeOptions } from "../workflows/options.js";
import { type Answer, serveBase } from "../workflows/serve.js";
import type { Address } from "./address.js";
import type { AnyWorkflow } from "./definition.js";
import type { Monitor } from "./monitor.js";
import type { ProviderEntry, Providers } from "./providers.js";
import type { EngineSettings } from "./settings.js";
import type { Triggers } from "./triggers.js";
import type { Workflows } from "./workflows.js";

/** What requests are answered with. */
export interface ServingParts {
  settings: EngineSettings;
  address: Address;
  workflows: Workflows;
  providers: Providers;
  triggers: Triggers;
  monitor: Monitor;
  middlewares: readonly WorkflowMiddleware[];
}

export class Serving {
  readonly #parts: ServingParts;
  /** By workflow and the provider that delivers. */
  readonly #answers = new WeakMap<AnyWorkflow, Map<ProviderEntry, Answer>>();

  constructor(parts: ServingParts) {
    this.#parts = parts;
  }

  /** Errors become answers: it doesn't reject. `only` is the one workflow that is served here. */
  async answer(request: Request, bindings?: object, only?: AnyWorkflow): Promise<Response> {
    try {
      return await this.#answer(request, bindings, only);
    } catch (error) {
      if (!isOrchestrationError(error)) console.error(`[orchestration] ${new URL(request.url).pathname}: ${error}`);
      return refusal(error);
    }
  }

  async #answer(request: Request, bindings: object | undefined, only: AnyWorkflow | undefined): Promise<Response> {
    const { settings, address, workflows, providers, triggers } = this.#parts;
    if (settings.adopt(bindings)) providers.reconsider();
    const { keepers } = providers;
    const names = keepers.map(({ name }) => name);
    const destination = address.destination(request.url, names);
    if (destination?.kind === "trigger" && !only) return triggers.answer(destination.name, request);
    const place = destination?.kind === "workflow" ? destination : { workflowId: "", provider: undefined };
    const workflow = only ?? workflows.find(place.workflowId);
    if (!workflow) throw new OrchestrationError(`no workflow '${place.workflowId}' is served here`, "NotFound");
    if (request.method !== "POST")
      throw new OrchestrationError(`the workflow '${workflow.id}' is delivered with POST`, "MethodNotAllowed");
    const entry = place.provider === undefined ? providers.keeper(undefined) : providers.of(place.provider);
    const endpoint = await providers.method(entry, "endpoint");
    const answers = this.#answers.get(workflow) ?? new Map<ProviderEntry, Answer>();
    this.#answers.set(workflow, answers);
    const answer = answers.get(entry) ?? this.#served(workflow, entry, endpoint());
    answers.set(entry, answer);
    return answer(request, request, bindings);
  }

  #served(workflow: AnyWorkflow, entry: ProviderEntry, endpoint: object): Answer {
    const { settings, address, providers, monitor, middlewares } = this.#parts;
    const { schema: _, provider: __, description: ___, ...options } = workflow.options;
    const { schema } = workflow.options;
    const segment = entry === providers.keeper(undefined) ? undefined : entry.name;
    const served = {
      ...options,
      ...(schema ? { schema } : {}),
      middlewares: [...middlewares, ...(options.middlewares ?? []), monitor.middleware(workflow.id)],
      ...(settings.own ? { env: settings.own } : {}),
      ...(address.isAbsolute ? urlOf(address.workflow(workflow.id, segment)) : {}),
      ...endpoint,
    } as WorkflowServeOptions;
    return serveBase(workflow.handler, served);
  }
}

/** An address that code has given stands above that in the environment. */
const urlOf = (url: string) => ({ url, baseUrl: new URL(url).origin });
