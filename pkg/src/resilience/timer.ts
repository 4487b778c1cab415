/** Timers of any length. */

/** Longer ones fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** How a timer is. */
export interface TimerOptions {
  /** Whether a process may end before it fires. Default: `false` */
  unref?: boolean;
}

/** Calls `fire` after `milliseconds`, never for `Infinity`. What it gives stops the timer. */
export function startTimer(milliseconds: number, fire: () => void, { unref = false }: TimerOptions = {}): () => void {
  if (milliseconds === Number.POSITIVE_INFINITY) return () => {};
  let timer: unknown;
  const start = (left: number): void => {
    const part = Math.min(left, LONGEST_TIMER);
    timer = setTimeout(() => (left > part ? start(left - part) : fire()), part);
    // Node's timers are objects that hold the process.
    if (unref) (timer as { unref?: () => void }).unref?.();
  };
  start(milliseconds);
  return () => clearTimeout(timer as number);
}
