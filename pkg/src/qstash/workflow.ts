/** The former way to cancel a run. */
import type { CallOptions } from "../config.js";
import type { Caller } from "./caller.js";

/** @deprecated Use the client of `@repo/orchestration/workflows`. */
export class Workflow {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** @deprecated Cancels a run. */
  async cancel(workflowRunId: string, options?: CallOptions): Promise<true> {
    await this.#caller.call("workflow.cancel", workflowRunId, options);
    return true;
  }
}
