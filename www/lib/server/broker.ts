/** Which broker the dashboard shows: the one that the usual variables name, or the embedded one while developing. */
import "server-only";
import { startDevServer } from "@repo/orchestration/client";
import { DEVELOPMENT_TOKEN } from "@/lib/broker/development";

export interface BrokerAddress {
  url: string;
  token: string;
}

const HOSTED = "https://qstash.upstash.io";

/** Starts the embedded broker if no variable names another, and tells the SDKs of this process about it. */
export async function prepareBroker(): Promise<void> {
  const { env } = process;
  if (!env.QSTASH_TOKEN && !env.QSTASH_DEV && env.NODE_ENV === "development") env.QSTASH_DEV = "true";
  await startDevServer();
}

/** The app can't work as it is set up: the message names the variables. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
}

/** @throws {ConfigurationError} with the names of the variables that are missing */
export function brokerAddress(): BrokerAddress {
  const { QSTASH_URL, QSTASH_TOKEN, QSTASH_DEV, QSTASH_DEV_PORT } = process.env;
  if (QSTASH_TOKEN) {
    const url = (QSTASH_URL || HOSTED).replace(/\/+$/, "");
    if (!/^https?:/i.test(url) || !URL.canParse(url))
      throw new ConfigurationError("QSTASH_URL is no address: expected one such as http://127.0.0.1:8080");
    return { url, token: QSTASH_TOKEN };
  }
  if (QSTASH_DEV) return { url: `http://127.0.0.1:${QSTASH_DEV_PORT ?? 8080}`, token: DEVELOPMENT_TOKEN };
  throw new ConfigurationError("no broker is named: set QSTASH_TOKEN (and QSTASH_URL unless it is hosted QStash)");
}
