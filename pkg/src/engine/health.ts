/** Asks providers how they are. */
import type { CallOptions } from "../config.js";
import { isOrchestrationError } from "../errors.js";
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
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), PATIENCE_MS);
  const giveUp = () => limit.abort();
  outer?.addEventListener("abort", giveUp, { once: true });
  try {
    await Promise.race([
      providers.ready(entry).then(() => provider.ping?.({ signal: limit.signal })),
      new Promise((_, reject) => limit.signal.addEventListener("abort", reject, { once: true })),
    ]);
    return told();
  } catch (error) {
    return told(limit.signal.aborted ? `no answer within ${PATIENCE_MS} ms` : reasonOf(error));
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener("abort", giveUp);
  }
}

/** Errors of this package hold no secret; of others the name is told. */
function reasonOf(error: unknown): string {
  if (isOrchestrationError(error)) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.name : "an error that is none";
}
