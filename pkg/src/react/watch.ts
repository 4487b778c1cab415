/** One look at a run, shared by all who follow it: by a stream of events, and by polling while that fails. */
import type { WorkflowExecution, WorkflowStatus } from "../engine/types.js";
import { isHidden, onAttention } from "./attention.js";
import type { WorkflowApiClient } from "./client.js";
import type { WorkflowApiError } from "./error.js";

/**
 * How a run is being followed. `connecting`: nothing has come yet; `live`: every change is told; `polling`: it is asked
 * for again and again, because the stream has failed; `closed`: it has ended, or an error is final.
 */
export type RunConnection = "connecting" | "live" | "polling" | "closed";

/** What is known of a run. */
export interface RunState {
  readonly run: WorkflowExecution | undefined;
  /** Why the last look has failed; gone with the next one that succeeds. */
  readonly error: WorkflowApiError | undefined;
  readonly connection: RunConnection;
}

/** Which run. */
export interface RunReference {
  runId: string;
  /** Who keeps it, if that is not the engine's default. */
  provider?: string | undefined;
}

/** Before anything is known. */
export const UNKNOWN: RunState = { run: undefined, error: undefined, connection: "connecting" };

/** When all that is known is this. */
export function stateOf(run: WorkflowExecution): RunState {
  return { run, error: undefined, connection: isFinal(run.status) ? "closed" : "connecting" };
}

/** Whether a run in this state stays as it is. */
export function isFinal(status: WorkflowStatus | undefined): boolean {
  return status === "completed" || status === "failed" || status === "cancelled";
}

/** Follows a run while there are listeners, and until it ends. */
export class RunWatch {
  readonly #client: WorkflowApiClient;
  readonly #runId: string;
  readonly #provider: string | undefined;
  readonly #onIdle: () => void;
  readonly #listeners = new Set<() => void>();
  #state: RunState;
  /** There while there are listeners; ends what is under way for them. */
  #visit: AbortController | undefined;
  #isFollowing = false;
  /** Ends a pause. */
  #resume: (() => void) | undefined;

  /** `onIdle` is called when the last listener has gone. */
  constructor(client: WorkflowApiClient, { runId, provider }: RunReference, known: RunState, onIdle: () => void) {
    this.#client = client;
    this.#runId = runId;
    this.#provider = provider ?? known.run?.provider;
    this.#state = known;
    this.#onIdle = onIdle;
  }

  get state(): RunState {
    return this.#state;
  }

  /**
   * Calls the listener at every change of {@link state}, until the returned function is called. Requests under way are
   * given up when no listener is left at the end of the turn: React's strict mode leaves and comes back within one.
   */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#visit ??= this.#begin();
    this.#follow();
    return () => {
      this.#listeners.delete(listener);
      queueMicrotask(() => {
        if (this.#listeners.size > 0 || !this.#visit) return;
        this.#visit.abort();
        this.#visit = undefined;
        this.#onIdle();
      });
    };
  }

  /** Looks at once, and goes on following, also after an error that was final. */
  async refresh(): Promise<void> {
    await this.#look(this.#state.connection, this.#visit?.signal);
    this.#follow();
  }

  #begin(): AbortController {
    const visit = new AbortController();
    const ignore = onAttention(() => (this.#resume ? this.#resume() : this.#follow()));
    visit.signal.addEventListener("abort", ignore);
    return visit;
  }

  #follow(): void {
    const signal = this.#visit?.signal;
    if (!signal || this.#isFollowing || isFinal(this.#state.run?.status)) return;
    this.#isFollowing = true;
    if (this.#state.connection === "closed") this.#tell({ ...this.#state, connection: "connecting" });
    void this.#run(signal).finally(() => {
      this.#isFollowing = false;
      // Somebody came while this was ending.
      if (signal.aborted) this.#follow();
    });
  }

  /** Until the run ends, nobody listens, or an error is final. */
  async #run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; ; ) {
      const outcome = await this.#stream(signal);
      if (this.#isOver(signal)) return;
      failures = outcome === "closed" ? 0 : failures + 1;
      if (outcome === "closed") await this.#pause(this.#backoff(1), signal);
      else await this.#poll(outcome === "unsupported" ? Number.POSITIVE_INFINITY : this.#backoff(failures), signal);
      if (this.#isOver(signal)) return;
    }
  }

  /** Hears what the API tells. `closed`: it has told something, so that the next stream will, too. */
  async #stream(signal: AbortSignal): Promise<"closed" | "broken" | "unsupported"> {
    let isOpen = false;
    try {
      for await (const run of this.#client.streamRun(this.#runId, { provider: this.#provider, signal })) {
        isOpen = true;
        this.#tell({ run, error: undefined, connection: "live" });
      }
    } catch (error) {
      if ((error as WorkflowApiError).code === "StreamUnsupported") return "unsupported";
    }
    return isOpen ? "closed" : "broken";
  }

  /** Looks again and again for so many milliseconds, or until somebody comes back to the page. */
  async #poll(forMs: number, signal: AbortSignal): Promise<void> {
    let left = forMs;
    for (let misses = 0; left > 0; ) {
      await this.#look("polling", signal);
      if (this.#isOver(signal)) return;
      const { error } = this.#state;
      misses = error ? misses + 1 : 0;
      const interval = Math.max(doubled(this.#client.pollIntervalMs, misses), error?.retryAfterMs ?? 0);
      const wait = Math.min(left, interval);
      const isAwaited = await this.#pause(wait, signal);
      left = isAwaited && Number.isFinite(left) ? 0 : left - wait;
      if (signal.aborted) return;
    }
  }

  /** Asks for the run. What was told meanwhile is newer than the answer. */
  async #look(connection: RunConnection, signal: AbortSignal | undefined): Promise<void> {
    const { run: before } = this.#state;
    try {
      const run = await this.#client.getRun(this.#runId, { provider: this.#provider, signal });
      if (this.#state.run === before) this.#tell({ run, error: undefined, connection });
    } catch (thrown) {
      const error = thrown as WorkflowApiError;
      if (signal?.aborted) return;
      // A run that was just started here, of which the provider's logs don't know yet.
      const isLate = error.status === 404 && before?.status === "pending";
      if (!isLate) this.#tell({ ...this.#state, error, connection: error.retryable ? connection : "closed" });
    }
  }

  #tell(state: RunState): void {
    this.#state = isFinal(state.run?.status) ? { ...state, connection: "closed" } : state;
    for (const listener of this.#listeners) listener();
  }

  #isOver(signal: AbortSignal): boolean {
    return signal.aborted || this.#state.connection === "closed";
  }

  /** Spread, so that a server that comes back is not met by all at once. */
  #backoff(failures: number): number {
    return doubled(this.#client.reconnectMs, failures - 1) * (0.5 + Math.random() / 2);
  }

  /** Waits for the time, and in the background until somebody comes back. Whether somebody has. */
  #pause(ms: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (isAwaited: boolean) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", quit);
        this.#resume = undefined;
        resolve(isAwaited);
      };
      const quit = () => end(false);
      const timer = setTimeout(() => isHidden() || end(false), ms);
      signal.addEventListener("abort", quit);
      this.#resume = () => end(true);
    });
  }
}

const LONGEST_WAIT_MS = 30_000;

function doubled(ms: number, times: number): number {
  return Math.max(ms, Math.min(ms * 2 ** times, LONGEST_WAIT_MS));
}
