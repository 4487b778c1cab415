/** The broker on this machine. */
import { processEnvironment } from "../environment.js";
import { Client } from "../qstash.js";

const TIMEOUT_MS = 2_000;

/**
 * Looks whether the broker on this machine answers, if `QSTASH_DEV` is set, and warns if it doesn't. It downloads and
 * starts nothing, and never throws.
 */
export async function startDevServer(): Promise<void> {
  const { QSTASH_DEV: wanted } = processEnvironment();
  if (!wanted || wanted === "false" || wanted === "0") return;
  try {
    await new Client({ devMode: true, retry: false }).keys.get({ signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    console.warn(
      `[orchestration] QSTASH_DEV is set, but no broker answers on this machine; start it before the app: ${error}`,
    );
  }
}
