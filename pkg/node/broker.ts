/** A broker in this process: database, core, server and courier put together. `dist/node/broker.cjs`. */
import type { AddressInfo } from "node:net";

import type { BrokerOptions, RunningBroker } from "../src/server/options.js";
import { type Broker, core } from "./core.js";
import { Courier, type CourierOptions } from "./courier.js";
import { Dashboard } from "./dashboard.js";
import { DEFAULT_FILE, openDatabase, pathOf } from "./database.js";
import { HostError, messageOf } from "./errors.js";
import { Exchange } from "./exchange.js";
import { Listeners } from "./listeners.js";
import { createBrokerServer } from "./server.js";

const LOOPBACK = "127.0.0.1";
const CONNECTIONS = 100;
const MAX_CONNECTIONS = 10_000;
const CLIENT_CONNECTIONS = 2_000;
const MAX_CLIENT_CONNECTIONS = 100_000;
const STOP_GRACE_MS = 2_000;
/** Addresses that only this machine can reach. */
const LOCAL = /^(127\.|::1$)/;

/** See `startBroker` in `src/server/host.ts`. */
export async function startBroker(options: BrokerOptions = {}): Promise<RunningBroker> {
  const { port, host, db, connections, clientConnections, now, onError, onWarning, dashboard, ...settings } =
    completed(options);
  const pages = dashboard ? Dashboard.find() : undefined;
  let hosted: Hosted | undefined;
  const server = createBrokerServer({
    bodyLimit: (method, url, headers) => hosted?.broker.bodyLimit(method, url, headers) ?? 0,
    // A connection that is here before the database is open is answered by the next turn of the loop.
    answer: (method, url, headers, body, caller) => {
      if (!hosted) throw new Error("the broker is not open");
      const answer = hosted.broker.request(method, url, headers, body, caller, now());
      hosted.courier.wake();
      hosted.listeners.look();
      return answer;
    },
    listen: (response) => hosted?.listeners.add(response),
    dashboard: pages,
    clientConnections,
    onError,
  });
  // First, because whoever has the port is who others find.
  const address = await listen(server, port, host);
  const path = pathOf(db);
  try {
    hosted = open(path, JSON.stringify({ ...settings, host, connections }), { connections, now, onError });
  } catch (error) {
    server.close();
    server.closeAllConnections();
    throw error;
  }
  server.on("error", onError);
  const { broker, courier, listeners, close } = hosted;
  const [token, currentSigningKey, nextSigningKey] = broker.identity;
  const url = `http://${hostOf(address)}:${address.port}`;
  courier.wake();
  if (!LOCAL.test(address.address)) warnOfPublic(broker.identity, onWarning);

  let stopped: Promise<void> | undefined;
  const stop = async (grace: number) => {
    // Endpoints that are being called may still submit their steps.
    await courier.stop(grace);
    listeners.end();
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
    close();
  };
  return {
    url,
    port: address.port,
    token,
    currentSigningKey,
    nextSigningKey,
    db: path,
    dashboard: pages && `${url}/`,
    environment: {
      QSTASH_URL: url,
      QSTASH_TOKEN: token,
      QSTASH_CURRENT_SIGNING_KEY: currentSigningKey,
      QSTASH_NEXT_SIGNING_KEY: nextSigningKey,
    },
    wake: () => courier.wake(),
    idle: () => courier.idle(),
    stop: (grace = STOP_GRACE_MS) => (stopped ??= stop(grace)),
    unref: () => {
      server.unref();
      // Clients keep their connections for a while.
      server.on("connection", (socket) => socket.unref());
      courier.unref();
    },
  };
}

/** The version of the broker's core, which is that of the package. */
export function version(): string {
  return core().version();
}

/** Whether a secret is one of QStash's development server. */
export function isPublic(secret: string): boolean {
  return core().publicIdentity().includes(secret);
}

function warnOfPublic([token, ...keys]: Broker["identity"], onWarning: Own["onWarning"]): void {
  const known = [...(isPublic(token) ? ["token"] : []), ...(keys.some(isPublic) ? ["signing keys"] : [])];
  if (known.length === 0) return;
  const message = `others can reach this broker, and everybody knows its ${known.join(" and its ")}: set your own`;
  onWarning(new HostError(message, "PublicIdentity"));
}

interface Hosted {
  broker: Broker;
  courier: Courier;
  listeners: Listeners;
  close(): void;
}

function open(path: string, settings: string, options: Omit<CourierOptions, "onChange">): Hosted {
  const { Broker, BrokerSettings } = core();
  // Before a file is made for it.
  const checked = new BrokerSettings(settings);
  const database = openDatabase(path);
  try {
    const broker = new Broker(database, checked, options.now());
    const exchange = new Exchange(broker.responseBytes, (address) => broker.refusal(address));
    const listeners = new Listeners(broker);
    const courier = new Courier(broker, exchange, { ...options, onChange: () => listeners.look() });
    const close = () => {
      exchange.close();
      broker.free();
      database.close();
    };
    return { broker, courier, listeners, close };
  } catch (error) {
    database.close();
    const { code = "Internal" } = error as { code?: string };
    throw new HostError(`${messageOf(error)} (${path})`, code, error);
  }
}

type Completed = Omit<BrokerOptions, keyof Own> & Own;

/** The options that are the process's own. */
interface Own {
  port: number;
  host: string;
  db: string;
  connections: number;
  clientConnections: number;
  dashboard: boolean;
  now: () => number;
  onError: (error: Error) => void;
  onWarning: (warning: Error & { code: string }) => void;
}

function completed(options: BrokerOptions): Completed {
  const { port, host = LOOPBACK, db = DEFAULT_FILE, connections = CONNECTIONS, ...rest } = options;
  const {
    now = Date.now,
    onError = (error: Error) => console.error(`[orchestration] ${error.message}`),
    onWarning = (warning: Error) => console.warn(`[orchestration] warning: ${warning.message}`),
    clientConnections = CLIENT_CONNECTIONS,
    dashboard = false,
    ...settings
  } = rest;
  const { BROKER_PRIVATE_DESTINATIONS, BROKER_LLM_URL, BROKER_EMAIL_URL } = process.env;
  return {
    ...settings,
    // What is none of both is told by the core.
    privateDestinations: settings.privateDestinations ?? (BROKER_PRIVATE_DESTINATIONS as "allow" | undefined),
    apis: { llm: BROKER_LLM_URL, email: BROKER_EMAIL_URL, ...settings.apis },
    port: whole("port", port ?? defaultPort(), 0, 65_535),
    host,
    db,
    connections: whole("connections", connections, 1, MAX_CONNECTIONS),
    clientConnections: whole("clientConnections", clientConnections, 1, MAX_CLIENT_CONNECTIONS),
    dashboard: flag("dashboard", dashboard),
    now,
    onError,
    onWarning,
  };
}

function whole(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new HostError(
    `the option ${name} must be a whole number from ${least} to ${most}, got ${value}`,
    "InvalidConfiguration",
  );
}

function flag(name: string, value: boolean): boolean {
  if (typeof value === "boolean") return value;
  throw new HostError(`the option ${name} must be true or false, got ${value}`, "InvalidConfiguration");
}

function defaultPort(): number {
  return Number(new URL(core().developmentUrl(process.env.QSTASH_DEV_PORT)).port || 80);
}

/** Throws a {@link HostError} `PortTaken`. */
function listen(server: ReturnType<typeof createBrokerServer>, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE";
      const reason = taken ? "is taken by another program" : `can't be listened at: ${error.message}`;
      reject(new HostError(`port ${port} of ${host} ${reason}`, taken ? "PortTaken" : "InvalidConfiguration", error));
    });
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}

/** An address that clients can use: one that means every address is reached at loopback. */
function hostOf({ address, family }: AddressInfo): string {
  if (address === "0.0.0.0" || address === "::") return LOOPBACK;
  return family === "IPv6" ? `[${address}]` : address;
}
