/** The broker of development mode: whoever needs it first starts it, everybody else finds it. */
import { core } from "./core/core.js";
import type { Environment } from "./environment.js";
import { adopting, QstashError } from "./errors.js";
import { canHost, startBroker } from "./server/host.js";
import type { RunningBroker } from "./server/options.js";

/** What `QSTASH_DEV` and its like are read from. */
export interface DevelopmentSettings {
  devMode?: boolean | undefined;
  environment?: Environment | undefined;
}

type Server = [url: string, token: string, currentSigningKey: string, nextSigningKey: string];

const PROBE_MS = 2_000;
/** How long another process may take from having the port to answering. */
const START_MS = 5_000;
const PAUSE_MS = 50;
/** How often a broker in another process is looked after: if that ends, this one takes over. */
const WATCH_MS = 1_000;
/** A broker that development mode can't use. */
const MISMATCH = "BrokerMismatch";
const NAME = "orchestration";
const OTHER_PORT = "QSTASH_DEV_PORT chooses another port";
/** What another start that was quicker looks like. */
const LOST = new Set(["PortTaken", "DatabaseInUse"]);

/** By address. The symbol is shared by all copies of this package in a process. */
const READY: unique symbol = Symbol.for("@repo/orchestration:development") as never;

/**
 * Resolves when the broker answers, at once if development mode is off. On Node it is started if there is none; elsewhere it
 * has to be there.
 *
 * @throws {QstashError} if it can't be started, or something else is at its address.
 */
export async function developmentBroker(settings: DevelopmentSettings): Promise<void> {
  if (!isWanted(settings)) return;
  const { developmentServer } = await core();
  const server = adopting(QstashError, () => developmentServer(JSON.stringify(settings)));
  if (!server) return;
  const shared = globalThis as { [READY]?: Map<string, Promise<void>> };
  shared[READY] ??= new Map();
  const ready = shared[READY];
  const [url] = server;
  let found = ready.get(url);
  if (!found) {
    found = findOrStart(server);
    ready.set(url, found);
    found.catch(() => ready.delete(url));
  }
  await found;
}

/** {@link developmentBroker} in the background, where it can be started: what fails is told when it is needed. */
export function beginDevelopment(settings: DevelopmentSettings): void {
  if (isWanted(settings) && canHost()) developmentBroker(settings).catch(() => {});
}

/** Cheaply, and with some that the core will refuse. A build is not a time to start anything. */
function isWanted({ devMode, environment }: DevelopmentSettings): boolean {
  const { NEXT_PHASE } = (globalThis as { process?: { env?: Environment } }).process?.env ?? {};
  return Boolean(devMode ?? environment?.QSTASH_DEV) && NEXT_PHASE !== "phase-production-build";
}

async function findOrStart(server: Server): Promise<void> {
  const [url] = server;
  const end = Date.now() + START_MS;
  let lost: Error | undefined;
  do {
    const found = await look(server);
    if (found === "other") throw unreachable(url, `another program answers there; ${OTHER_PORT}`);
    if (found === "stranger") throw mismatch(`a broker answers at ${url}`, `its database, or ${OTHER_PORT}`);
    if (found === "broker") {
      if (canHost()) watch(server);
      return;
    }
    if (!canHost()) throw unreachable(url, "only Node can start it: run npx @repo/orchestration dev beside");
    try {
      const broker = await startBroker({ port: Number(new URL(url).port || 80) });
      broker.unref();
      if (!isKnown(server, broker)) {
        await broker.stop(0);
        throw mismatch(`the database ${broker.db} is that of a broker`, "it");
      }
      console.log(`[orchestration] the broker is at ${broker.url}, its database is ${broker.db}`);
      return;
    } catch (error) {
      const { code, message } = error as QstashError;
      if (code === MISMATCH) throw error;
      if (!LOST.has(code)) throw unreachable(url, message, error);
      lost = error as Error;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  } while (Date.now() < end);
  throw unreachable(url, `${lost?.message}; ${OTHER_PORT}`, lost);
}

/** Who is there: a broker with the identity of development, one with another, or something else that speaks HTTP. */
async function look([url, token, current, next]: Server): Promise<"broker" | "stranger" | "other" | "nobody"> {
  const ask = async (path: string, headers: Record<string, string>) => {
    const init: RequestInit = { headers, signal: AbortSignal.timeout(PROBE_MS) };
    // Next.js keeps answers; Workers of an older date don't know the option.
    if (canHost()) init.cache = "no-store";
    return (await fetch(url + path, init)).text();
  };
  try {
    const keys = await ask("/v2/keys", { authorization: `Bearer ${token}` });
    if (keys.includes(current) && keys.includes(next)) return "broker";
    return isOurs(await ask("/health", {})) ? "stranger" : "other";
  } catch {
    return "nobody";
  }
}

/** Whether an answer to `/health` is that of a broker of this package, of any version. */
function isOurs(health: string): boolean {
  try {
    const { name, version } = JSON.parse(health);
    return name === NAME && typeof version === "string";
  } catch {
    return false;
  }
}

function isKnown([, token, current, next]: Server, broker: RunningBroker): boolean {
  return broker.token === token && broker.currentSigningKey === current && broker.nextSigningKey === next;
}

function watch(server: Server): void {
  const timer = setInterval(async () => {
    if ((await look(server)) === "broker") return;
    clearInterval(timer);
    findOrStart(server).catch((error: Error) => console.warn(`[orchestration] ${error.message}`));
  }, WATCH_MS) as unknown as { unref(): void } & number;
  timer.unref();
}

function mismatch(what: string, database: string): QstashError {
  return new QstashError(
    `development mode is on (QSTASH_DEV or devMode), but ${what} whose token or signing keys were configured or rotated: ` +
      "set QSTASH_URL, QSTASH_TOKEN, QSTASH_CURRENT_SIGNING_KEY and QSTASH_NEXT_SIGNING_KEY in place of QSTASH_DEV, " +
      `or stop it and delete ${database}`,
    MISMATCH,
  );
}

function unreachable(url: string, reason: string, cause?: unknown): QstashError {
  const error = new QstashError(
    `development mode is on (QSTASH_DEV or devMode), but there is no broker at ${url}: ${reason}`,
    "BrokerUnreachable",
    true,
  );
  error.cause = cause;
  return error;
}
