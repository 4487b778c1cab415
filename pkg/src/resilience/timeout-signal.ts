/** Signals that abort by themselves. */
import { OrchestrationError } from "../errors.js";

/** Longer timers fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** A signal that aborts after a time, unless it is cleared. */
export interface TimeoutSignal extends AbortSignal {
  /** Gives the timer up: the signal is not going to abort any more. */
  clear(): void;
}

/**
 * A signal that aborts after `ms` with a `TimeoutError`, as `AbortSignal.timeout` does. It can be cleared when the work is
 * done, follows another signal, and keeps no process from ending.
 *
 * ```ts
 * const signal = createTimeoutSignal(5000);
 * const response = await fetch(url, { signal }).finally(() => signal.clear());
 * ```
 *
 * @param options.signal aborts it too
 * @throws {OrchestrationError} `InvalidConfiguration` for what is no number of milliseconds from 0
 */
export function createTimeoutSignal(ms: number, { signal }: { signal?: AbortSignal | undefined } = {}): TimeoutSignal {
  if (typeof ms !== "number" || !(ms >= 0))
    throw new OrchestrationError(
      `a timeout must be a number of milliseconds from 0, not ${ms}`,
      "InvalidConfiguration",
    );
  const controller = new AbortController();
  const end = (reason: unknown) => {
    clear();
    controller.abort(reason);
  };
  const follow = () => end(signal?.reason);
  const expire = () => end(new DOMException("The operation was aborted due to timeout", "TimeoutError"));
  const timer: unknown = setTimeout(expire, Math.min(ms, LONGEST_TIMER));
  // Node's timers are objects that hold the process.
  (timer as { unref?: () => void }).unref?.();
  const clear = () => {
    clearTimeout(timer as number);
    signal?.removeEventListener("abort", follow);
  };
  signal?.addEventListener("abort", follow, { once: true });
  if (signal?.aborted) follow();
  return Object.assign(controller.signal, { clear });
}
