/** Signals that abort by themselves. */
import { ConfigurationError } from "../errors.js";
import { startTimer } from "./timer.js";

/** `[Symbol.dispose]`, where the compiler knows of it: for `using signal = createTimeoutSignal(5000)`. */
type Disposing = SymbolConstructor extends { readonly dispose: infer Dispose extends symbol }
  ? { [Key in Dispose]: () => void }
  : unknown;

/** A signal that aborts after a time, unless it is cleared. */
export type TimeoutSignal = AbortSignal & {
  /** Gives the timer up, and stops following another signal: this one is not going to abort any more. */
  clear(): void;
} & Disposing;

/**
 * A signal that aborts after `ms` with a `TimeoutError`, as `AbortSignal.timeout` does. It can be cleared when the work is
 * done, follows another signal, and keeps no process from ending.
 *
 * ```ts
 * const signal = createTimeoutSignal(5000);
 * const response = await fetch(url, { signal }).finally(() => signal.clear());
 * ```
 *
 * Where `Symbol.dispose` is known, `using signal = createTimeoutSignal(5000)` clears it at the end of the block.
 *
 * @param ms from 0, of any length; `Infinity` for no time of its own
 * @param options.signal aborts it too, with its reason
 * @throws {ConfigurationError} for what is no number of milliseconds from 0
 */
export function createTimeoutSignal(ms: number, { signal }: { signal?: AbortSignal | undefined } = {}): TimeoutSignal {
  if (typeof ms !== "number" || !(ms >= 0))
    throw new ConfigurationError(
      `a timeout must be a number of milliseconds from 0, not ${typeof ms === "number" ? ms : typeof ms}`,
    );
  const controller = new AbortController();
  let stop = () => {};
  const clear = () => {
    stop();
    signal?.removeEventListener("abort", follow);
  };
  const end = (reason: unknown) => {
    clear();
    controller.abort(reason);
  };
  const follow = () => end(signal?.reason);
  if (signal?.aborted) follow();
  else {
    signal?.addEventListener("abort", follow, { once: true });
    stop = startTimer(ms, () => end(timedOut()), { unref: true });
  }
  const { dispose } = Symbol as { dispose?: symbol };
  const made: unknown = Object.assign(controller.signal, { clear }, dispose && { [dispose]: clear });
  return made as TimeoutSignal;
}

const timedOut = () => new DOMException("The operation was aborted due to timeout", "TimeoutError");
