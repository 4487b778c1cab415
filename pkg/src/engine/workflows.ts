/** The workflows of an engine, by their ids. */
import { ConfigurationError, OrchestrationError, ValidationError } from "../errors.js";
import { validated } from "../workflows/validation.js";
import type { AnyWorkflow } from "./definition.js";

export class Workflows {
  readonly #known = new Map<string, AnyWorkflow>();

  /** Adding one twice changes nothing. @throws {ConfigurationError} if another one has its id */
  add(workflow: AnyWorkflow): void {
    const { id } = workflow;
    if ((this.#known.get(id) ?? workflow) !== workflow)
      throw new ConfigurationError(`two workflows have the id '${id}': an endpoint is the one or the other`);
    this.#known.set(id, workflow);
  }

  remove(id: string): boolean {
    return this.#known.delete(id);
  }

  get all(): readonly AnyWorkflow[] {
    return [...this.#known.values()];
  }

  find(id: string): AnyWorkflow | undefined {
    return this.#known.get(id);
  }

  /** @throws {OrchestrationError} `NotFound` for an id that is not registered */
  of(workflow: AnyWorkflow | string): AnyWorkflow {
    if (typeof workflow !== "string") return workflow;
    const found = this.#known.get(workflow);
    if (found) return found;
    const known = [...this.#known.keys()].join(", ") || "none";
    throw new OrchestrationError(`there is no workflow '${workflow}'; there are: ${known}`, "NotFound");
  }
}

/** @throws {ValidationError} for an input that the workflow would refuse */
export async function checkInput({ id, options }: AnyWorkflow, input: unknown): Promise<void> {
  if (!options.schema) return;
  const result = await validated(input, options.schema);
  if ("issues" in result)
    throw new ValidationError(`the input does not fit the schema of the workflow '${id}': ${result.issues}`);
}

/** @throws {OrchestrationError} `InvalidRequest` for what is no id: it would name a run that nobody meant */
export function checkRunId(workflowRunId: unknown): void {
  if (typeof workflowRunId === "string" && workflowRunId.replace(/^wfr_/, "").trim() !== "") return;
  throw new OrchestrationError("the id of a run, workflowRunId, has to be a text that is not empty", "InvalidRequest");
}
