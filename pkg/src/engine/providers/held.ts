/** Brokers of this process, by their address. */
import { ConfigurationError } from "../../errors.js";
import { startBroker } from "../../server/host.js";
import type { BrokerOptions, RunningBroker } from "../../server/options.js";

interface Held {
  broker: Promise<RunningBroker>;
  options: BrokerOptions;
  holders: number;
  /** While it stops, its port and database are in use. */
  stopping?: Promise<void>;
}

/** A broker until it is released; the last who does that stops it. */
export interface HeldBroker {
  broker: RunningBroker;
  release: () => Promise<void>;
}

/** The symbol is shared by all copies of this package in a process. */
const HELD: unique symbol = Symbol.for("@repo/orchestration:embedded") as never;

/**
 * Starts a broker, or joins the one that this process has at the same address: bundlers load the module that makes an engine
 * once for each route, and a port can be had once.
 *
 * @throws {ConfigurationError} if that one has other settings
 */
export async function holdBroker(options: BrokerOptions): Promise<HeldBroker> {
  const shared = globalThis as { [HELD]?: Map<string, Held> };
  shared[HELD] ??= new Map();
  const all = shared[HELD];
  const place = placeOf(options);
  while (all.get(place)?.stopping) await all.get(place)?.stopping;
  const held = all.get(place) ?? { broker: startBroker(options), options: { ...options }, holders: 0 };
  checkSame(held.options, options);
  all.set(place, held);
  held.holders += 1;
  try {
    const broker = await held.broker;
    broker.unref();
    return { broker, release: () => release(all, place, held) };
  } catch (error) {
    held.holders -= 1;
    if (all.get(place) === held) all.delete(place);
    throw error;
  }
}

async function release(all: Map<string, Held>, place: string, held: Held): Promise<void> {
  held.holders -= 1;
  if (held.holders > 0) return;
  held.stopping = held.broker.then((broker) => broker.stop()).finally(() => all.delete(place));
  await held.stopping;
}

/** With any free port and a database of its own, it is another one each time. */
function placeOf({ host, port, db }: BrokerOptions): string {
  return port === 0 && db === ":memory:" ? crypto.randomUUID() : JSON.stringify([host, port, db]);
}

/** Functions are not compared: each copy of a module has its own. */
function checkSame(has: BrokerOptions, asked: BrokerOptions): void {
  const other = COMPARED.filter((name) => written(has[name]) !== written(asked[name]));
  if (other.length === 0) return;
  throw new ConfigurationError(
    `another engine of this process has an embedded broker at the same address and database, with another ${other.join(", ")}: ` +
      "give both the same settings, or each a port and a database of its own",
  );
}

const COMPARED = [
  "token",
  "readOnlyToken",
  "currentSigningKey",
  "nextSigningKey",
  "privateDestinations",
  "limits",
  "apis",
  "connections",
  "clientConnections",
] as const satisfies readonly (keyof BrokerOptions)[];

/** The same for the same settings, in whichever order they are. */
const written = (value: BrokerOptions[(typeof COMPARED)[number]]): string =>
  typeof value === "object"
    ? JSON.stringify(
        Object.entries(value)
          .filter(([, setting]) => setting !== undefined)
          .sort(),
      )
    : JSON.stringify(value ?? null);
