/** A run as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
import type { WorkflowEngine } from "../engine/api.js";
import type { WorkflowExecution } from "../engine/types.js";
import { isOrchestrationError, OrchestrationError } from "../errors.js";
import { pause } from "../resilience/pause.js";

/** How a run is followed. Milliseconds. */
export interface FollowOptions {
  /** How often the provider is asked. Default: 1,000. */
  intervalMs: number;
  /** How long a quiet stream is left without a comment, which proxies need. Default: 15,000. */
  keepAliveMs: number;
  /** After this time the stream ends, and the browser comes again. Default: 5 minutes. */
  lifetimeMs: number;
  /** Streams of one engine that are open at once; one more is refused with 429. Default: 1,000. */
  maxStreams: number;
}

export const FOLLOW: FollowOptions = {
  intervalMs: 1_000,
  keepAliveMs: 15_000,
  lifetimeMs: 300_000,
  maxStreams: 1_000,
};

/** How soon a browser comes again. */
const RETRY_MS = 1_000;

/**
 * `run` with the run as it is now, again at every change; `end` after its last, which ends the stream. Ends at once when the
 * client goes.
 */
export function followed(
  engine: WorkflowEngine,
  first: WorkflowExecution,
  signal: AbortSignal,
  { intervalMs, keepAliveMs, lifetimeMs, maxStreams }: FollowOptions,
): Response {
  const looks = Looks.of(engine);
  looks.begin(maxStreams);
  const gone = new AbortController();
  let isOpen = true;
  const end = () => {
    signal.removeEventListener("abort", give);
    if (isOpen) looks.end();
    isOpen = false;
  };
  const give = () => {
    end();
    gone.abort();
  };
  signal.addEventListener("abort", give, { once: true });
  if (signal.aborted) give();
  const text = new TextEncoder();

  async function* told(): AsyncGenerator<string, void> {
    yield `retry: ${RETRY_MS}\n\n`;
    const begun = Date.now();
    let spoken = begun;
    let known = "";
    for (let run: WorkflowExecution | undefined = first; Date.now() - begun < lifetimeMs; ) {
      const now = JSON.stringify(run);
      if (run && now !== known) {
        known = now;
        spoken = Date.now();
        yield `event: run\ndata: ${now}\n\n`;
        if (isOver(run)) return yield "event: end\ndata: {}\n\n";
      } else if (Date.now() - spoken >= keepAliveMs) {
        spoken = Date.now();
        yield ": still here\n\n";
      }
      await pause(intervalMs, gone.signal);
      run = await looks.at(first, intervalMs).catch(unlessTemporary);
      gone.signal.throwIfAborted();
    }
  }

  const source = told();
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await source.next();
        if (!done) return controller.enqueue(text.encode(value));
        controller.close();
      } catch (error) {
        if (gone.signal.aborted) controller.close();
        else controller.error(error);
      }
      end();
    },
    cancel: give,
  });
  const headers = {
    "content-type": "text/event-stream",
    "cache-control": "no-store, no-transform",
    "x-accel-buffering": "no",
  };
  return new Response(stream, { headers });
}

export const isOver = ({ status }: WorkflowExecution): boolean => status !== "pending" && status !== "running";

/** Looks at runs, which all streams of an engine share: a provider is asked once for all who follow one run. */
class Looks {
  static readonly #known = new WeakMap<WorkflowEngine, Looks>();
  readonly #engine: WorkflowEngine;
  readonly #latest = new Map<string, { at: number; run: Promise<WorkflowExecution | undefined> }>();
  #streams = 0;

  static of(engine: WorkflowEngine): Looks {
    const looks = Looks.#known.get(engine) ?? new Looks(engine);
    Looks.#known.set(engine, looks);
    return looks;
  }

  private constructor(engine: WorkflowEngine) {
    this.#engine = engine;
  }

  /** @throws {OrchestrationError} `RateLimited` */
  begin(most: number): void {
    if (this.#streams >= most)
      throw new OrchestrationError(`${most} runs are followed here already: look at it now and then`, "RateLimited");
    this.#streams += 1;
  }

  end(): void {
    this.#streams -= 1;
    if (this.#streams === 0) this.#latest.clear();
  }

  /** The run as it is now, or was less than `maxAge` milliseconds ago. */
  at({ workflowRunId, provider }: WorkflowExecution, maxAge: number): Promise<WorkflowExecution | undefined> {
    const now = Date.now();
    const key = `${provider}/${workflowRunId}`;
    const latest = this.#latest.get(key);
    if (latest && now - latest.at < maxAge) return latest.run;
    if (this.#latest.size > this.#streams)
      for (const [old, { at }] of this.#latest) if (now - at >= maxAge) this.#latest.delete(old);
    const run = this.#engine.getExecution(workflowRunId, { provider });
    this.#latest.set(key, { at: now, run });
    return run;
  }
}

/** A provider that is away for a moment is asked again. */
function unlessTemporary(error: unknown): undefined {
  if (!isOrchestrationError(error) || !error.retryable) throw error;
}
