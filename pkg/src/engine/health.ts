/** Asks providers how they are. */
import type { CallOptions } from "../config.js";
import { isOrchestrationError, ProviderError } from "../errors.js";
import { within } from "../resilience/within.js";
import { rules } from "../rules/rules.js";
import type { ProviderEntry, Providers } from "./providers.js";
import type { EngineHealth, ProviderHealth } from "./types.js";

/** How long a provider may take to answer. */
const PATIENCE_MS = 5_000;

/** Asks all of them at once. */
export async function healthOf(providers: Providers, { signal }: CallOptions = {}): Promise<EngineHealth> {
  signal?.throwIfAborted();
  const asked = await Promise.all(providers.all.map((entry) => askedOf(providers, entry, signal)));
  signal?.throwIfAborted();
  const healthy = asked.filter(({ status }) => status === "healthy").length;
  const status = healthy === asked.length ? "healthy" : healthy > 0 ? "degraded" : "unhealthy";
  return { status, providers: asked };
}

async function askedOf(
  providers: Providers,
  entry: ProviderEntry,
  outer: AbortSignal | undefined,
): Promise<ProviderHealth> {
  const { name, type, provider } = entry;
  const checkedAt = Date.now();
  const began = performance.now();
  const told = (failure?: string): ProviderHealth => {
    const latencyMs = Math.round((performance.now() - began) * 100) / 100;
    const facts = { name, type, latencyMs, checkedAt };
    return failure === undefined ? { ...facts, status: "healthy" } : { ...facts, status: "unhealthy", error: failure };
  };
  const expired = () => new ProviderError(`no answer within ${PATIENCE_MS} ms`, { provider: name });
  try {
    await within({ ms: PATIENCE_MS, expired, outer }, async (signal) => {
      await providers.ready(entry);
      await provider.ping?.({ signal });
    });
    return told();
  } catch (error) {
    return told(reasonOf(error));
  }
}

/** What the error tells, with its secrets masked. */
function reasonOf(error: unknown): string {
  const name = isOrchestrationError(error) ? error.code : error instanceof Error ? error.name : "Error";
  const message = `${name}: ${error instanceof Error ? error.message : error}`;
  return rules().maskText(message) ?? message;
}
