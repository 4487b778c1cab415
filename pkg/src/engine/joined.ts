/** Work that more than one may end. */

/** Does work with a signal that is aborted when one of several is, as `AbortSignal.any`, which not every runtime has. */
export async function joined<T>(
  signals: readonly (AbortSignal | undefined)[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const given = signals.filter((signal) => signal !== undefined);
  const controller = new AbortController();
  const abort = ({ target }: Event) => controller.abort((target as AbortSignal).reason);
  for (const signal of given) signal.throwIfAborted();
  for (const signal of given) signal.addEventListener("abort", abort, { once: true });
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of given) signal.removeEventListener("abort", abort);
  }
}
