/** How long work takes. */
import type { StepOutcome } from "./workflow-metrics.js";

/** Does the work, and tells how long it took and how it ended. */
export async function timed<T>(
  work: () => Promise<T>,
  tell: (seconds: number, outcome: StepOutcome) => void,
): Promise<T> {
  const began = performance.now();
  const seconds = () => (performance.now() - began) / MILLISECONDS;
  try {
    const result = await work();
    tell(seconds(), "success");
    return result;
  } catch (error) {
    tell(seconds(), "failure");
    throw error;
  }
}

const MILLISECONDS = 1_000;
