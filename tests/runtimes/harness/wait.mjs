import { setTimeout as delay } from "node:timers/promises";

const LIMIT_MS = 30_000;
const STEP_MS = 50;

/** Asks until the answer is not empty, and gives it. What is waited for is another process's work, which tells nothing. */
export async function until(what, ask, limitMs = LIMIT_MS) {
  const end = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`${what}: not within ${limitMs / 1000} s`);
    await delay(STEP_MS);
  }
}
