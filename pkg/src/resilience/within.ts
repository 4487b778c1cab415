/** Work that has a limit. */
import { startTimer } from "./timer.js";

/** When work ends that has not ended by itself. */
export interface Limit {
  /** Milliseconds; `undefined` for no limit. */
  ms: number | undefined;
  /** What it has failed with then. */
  expired: () => Error;
  /** Somebody else who may end it, with the signal's reason. */
  outer?: AbortSignal | undefined;
}

/** Does work with a signal. When that is aborted, the work is not waited for any longer. The timer ends with the work. */
export async function within<T>(
  { ms, expired, outer }: Limit,
  work: (signal: AbortSignal) => T | Promise<T>,
): Promise<T> {
  outer?.throwIfAborted();
  const controller = new AbortController();
  let end = () => {};
  const ended = new Promise<never>((_, reject) => {
    const stop = (reason: unknown) => {
      controller.abort(reason);
      reject(reason);
    };
    const abort = () => stop(outer?.reason);
    const stopTimer = startTimer(ms ?? Number.POSITIVE_INFINITY, () => stop(expired()));
    outer?.addEventListener("abort", abort, { once: true });
    end = () => {
      stopTimer();
      outer?.removeEventListener("abort", abort);
    };
  });
  try {
    return await Promise.race([ended, work(controller.signal)]);
  } finally {
    end();
  }
}
