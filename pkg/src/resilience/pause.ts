/** Waiting that can be given up. */

/** Longer timers fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Resolves after `milliseconds`; rejects with the signal's reason if that aborts before, and holds no timer then. */
export function pause(milliseconds: number, signal?: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(
      () => {
        signal?.removeEventListener("abort", abort);
        resolve();
      },
      Math.min(milliseconds, LONGEST_TIMER),
    );
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted) abort();
  });
}
