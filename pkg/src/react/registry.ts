/** The runs that are followed through a client, and what is known of those that were. */
import type { WorkflowExecution } from "../engine/types.js";
import type { WorkflowApiClient } from "./client.js";
import { type RunReference, type RunState, RunWatch, stateOf, UNKNOWN } from "./watch.js";

/** Runs that nobody follows any more and that are remembered all the same. */
const REMEMBERED = 100;

const registries = new WeakMap<WorkflowApiClient, RunRegistry>();

/** Shares one {@link RunWatch} among all who follow the same run. */
export class RunRegistry {
  readonly #client: WorkflowApiClient;
  readonly #watches = new Map<string, RunWatch>();
  readonly #known = new Map<string, RunState>();

  private constructor(client: WorkflowApiClient) {
    this.#client = client;
  }

  /** The client's one. */
  static of(client: WorkflowApiClient): RunRegistry {
    const registry = registries.get(client) ?? new RunRegistry(client);
    registries.set(client, registry);
    return registry;
  }

  /** What is known of the run; the same object until that changes. */
  state(runId: string): RunState {
    return this.#watches.get(runId)?.state ?? this.#known.get(runId) ?? UNKNOWN;
  }

  /** Follows the run until the returned function is called. */
  subscribe(run: RunReference, listener: () => void): () => void {
    return this.#watch(run).subscribe(listener);
  }

  /** Looks at the run at once, if it is followed. */
  async refresh(runId: string): Promise<void> {
    await this.#watches.get(runId)?.refresh();
  }

  /** Takes a run as known, unless more is known already. */
  remember(run: WorkflowExecution): void {
    if (this.state(run.workflowRunId) === UNKNOWN) this.#keep(run.workflowRunId, stateOf(run));
  }

  #watch(run: RunReference): RunWatch {
    const { runId } = run;
    const known = this.#watches.get(runId);
    if (known) return known;
    const watch = new RunWatch(this.#client, run, this.state(runId), () => {
      this.#watches.delete(runId);
      if (watch.state.run) this.#keep(runId, stateOf(watch.state.run));
    });
    this.#watches.set(runId, watch);
    return watch;
  }

  #keep(runId: string, state: RunState): void {
    this.#known.delete(runId);
    this.#known.set(runId, state);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= REMEMBERED) break;
      this.#known.delete(oldest);
    }
  }
}
