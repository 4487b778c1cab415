/** The broker on this machine. */
import { developmentBroker } from "../development.js";
import { processEnvironment, settingsIn } from "../environment.js";

/**
 * Finds the broker on this machine, or starts it in this process, if `QSTASH_DEV` is set. Where it can't be started, it warns;
 * it never throws, and downloads nothing. Clients and endpoints do this themselves: this is for starting it with the
 * application, as in `instrumentation.ts` of Next.js.
 */
export async function startDevServer(): Promise<void> {
  try {
    await developmentBroker({ environment: settingsIn(processEnvironment()) });
  } catch (error) {
    console.warn(`[orchestration] ${(error as Error).message}`);
  }
}
