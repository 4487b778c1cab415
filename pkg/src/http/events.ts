/** A run as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
import type { WorkflowEngine } from "../engine/api.js";
import type { WorkflowExecution } from "../engine/types.js";
import { isOrchestrationError } from "../errors.js";
import { pause } from "../resilience/pause.js";

/** How a run is followed. Milliseconds. */
export interface FollowOptions {
  /** How often the provider is asked. Default: 1,000. */
  intervalMs: number;
  /** How long a quiet stream is left without a comment, which proxies need. Default: 15,000. */
  keepAliveMs: number;
  /** After this time the stream ends, and the browser comes again. Default: 5 minutes. */
  lifetimeMs: number;
}

export const FOLLOW: FollowOptions = { intervalMs: 1_000, keepAliveMs: 15_000, lifetimeMs: 300_000 };

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
  { intervalMs, keepAliveMs, lifetimeMs }: FollowOptions,
): Response {
  const gone = new AbortController();
  const give = () => gone.abort();
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
      run = await engine.getExecution(first.workflowRunId, { signal: gone.signal }).catch(unlessTemporary);
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
      signal.removeEventListener("abort", give);
    },
    cancel() {
      signal.removeEventListener("abort", give);
      give();
    },
  });
  const headers = {
    "content-type": "text/event-stream",
    "cache-control": "no-store, no-transform",
    "x-accel-buffering": "no",
  };
  return new Response(stream, { headers });
}

export const isOver = ({ status }: WorkflowExecution): boolean => status !== "pending" && status !== "running";

/** A provider that is away for a moment is asked again. */
function unlessTemporary(error: unknown): undefined {
  if (!isOrchestrationError(error) || !error.retryable) throw error;
}
