/**
 * The stage of the demo, all on the loopback interface: the ledger, a Node server with the order workflow in TypeScript,
 * and workerd with the Worker, which is the broker and serves the order workflow in Rust.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { startDashboard } from "./dashboard.mjs";
import { startLedger } from "./ledger.mjs";
import { BrokerLog } from "./log.mjs";
import { loadTrigger, startOrderServer } from "./order-project.mjs";
import { judge } from "./verdict.mjs";

export const LANGUAGES = ["rust", "typescript"];
const POLL_MS = 100;

/**
 * @typedef {import("./verdict.mjs").Order} Order
 * @typedef {{ url: string, port: number, pid: number, kill: () => Promise<void>, stop: () => Promise<void> }} Worker
 * @typedef {(options: { port: number, persistDir: string, bindings: Record<string, string> }) => Promise<Worker>} StartWorker
 */

export class Stage {
  /** @type {Order[]} */
  orders = [];
  /** How often workerd was killed. */
  crashes = 0;
  #closers = [];

  /**
   * @param {object} options
   * @param {string} options.project   the installed order project
   * @param {string} options.folder    an empty folder for the storage, the ledger and the logs
   * @param {StartWorker} options.startWorker
   * @param {(entry: import("./ledger.mjs").LedgerEntry) => unknown} [options.onEntry]  see `startLedger`
   */
  static async open({ project, folder, startWorker, onEntry }) {
    const stage = new Stage();
    try {
      await stage.#open(project, folder, startWorker, onEntry);
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  async #open(project, folder, startWorker, onEntry) {
    this.ledger = await startLedger({ file: join(folder, "ledger.jsonl"), onEntry });
    this.#closers.push(() => this.ledger.close());

    const secrets = newSecrets();
    // The endpoints are on this machine.
    const bindings = { ...secrets, BROKER_PRIVATE_DESTINATIONS: "allow" };
    this.startWorker = (port) => startWorker({ port, persistDir: join(folder, "storage"), bindings });
    this.worker = await this.startWorker(0);
    this.#closers.push(() => this.worker.stop());
    this.token = secrets.QSTASH_TOKEN;
    this.secrets = secrets;
    this.folder = folder;
    this.log = new BrokerLog({ url: this.worker.url, token: this.token });

    this.endpoint = await startOrderServer(project, {
      log: join(folder, "order-node.log"),
      settings: { QSTASH_URL: this.worker.url, ...secrets },
    });
    this.#closers.push(() => this.endpoint.stop());
    this.triggerOrder = await loadTrigger(project);
  }

  /** Lets the dashboard show this broker, for as long as the stage is open. */
  async openDashboard() {
    const dashboard = await startDashboard({
      brokerUrl: this.worker.url,
      secrets: this.secrets,
      log: join(this.folder, "dashboard.log"),
    });
    this.#closers.push(() => dashboard.stop());
    return dashboard;
  }

  /**
   * Starts a run of the order workflow.
   *
   * @param {string} language  one of `LANGUAGES`
   * @param {{ sleepSeconds: number, retries: number, retryDelay: string }} settings
   * @returns {Promise<Order>}
   */
  async trigger(language, { sleepSeconds, retries, retryDelay }) {
    const orderId = `order-${language}`;
    const order = { runId: `wfr_${orderId}`, language, orderId, sleepSeconds };
    this.orders.push(order);
    const runId = await this.triggerOrder({
      brokerUrl: this.worker.url,
      token: this.token,
      url: language === "rust" ? `${this.worker.url}/samples/order` : this.endpoint.url,
      runName: orderId,
      order: { orderId, ledgerUrl: this.ledger.url, sleepSeconds },
      retries,
      retryDelay,
    });
    if (runId !== order.runId) throw new Error(`expected the run id ${order.runId}, the client returned ${runId}`);
    return order;
  }

  /**
   * Kills workerd with SIGKILL and starts it again on the same storage and port.
   *
   * @returns {Promise<{ pid: number, downMs: number }>} which process was killed, and for how long there was none
   */
  async crash() {
    const { pid, port } = this.worker;
    const began = Date.now();
    this.crashes += 1;
    await this.worker.kill();
    this.worker = await this.startWorker(port);
    return { pid, downMs: Date.now() - began };
  }

  /**
   * The logs of the triggered runs, in the order of `orders`, again and again until all have ended or the time is up.
   * Nothing is yielded while the broker is down.
   *
   * @param {number} limitMs
   */
  async *watch(limitMs) {
    const end = Date.now() + limitMs;
    while (Date.now() < end) {
      const logs = await this.logs().catch(() => undefined);
      if (logs !== undefined) {
        yield logs;
        if (logs.length > 0 && logs.every((log) => hasEnded(log))) return;
      }
      await delay(POLL_MS);
    }
  }

  logs() {
    return Promise.all(this.orders.map((order) => this.log.runWithDeliveries(order.runId)));
  }

  /** Judges what the ledger and the broker's log hold now. */
  async judge() {
    const logs = await this.logs();
    return judge({ orders: this.orders, ledger: this.ledger.entries, logs, crashes: this.crashes });
  }

  /** Ends the servers. May be called at any time, and twice. */
  async close() {
    const closers = this.#closers.splice(0).reverse();
    await Promise.allSettled(closers.map((close) => close()));
  }
}

export function hasEnded(log) {
  return log !== undefined && log.state !== "RUN_STARTED";
}

/** A token and signing keys that live as long as the stage. */
function newSecrets() {
  const random = (bytes) => randomBytes(bytes).toString("base64url");
  const user = { UserID: "demo", Password: random(16) };
  return {
    QSTASH_TOKEN: Buffer.from(JSON.stringify(user)).toString("base64"),
    QSTASH_CURRENT_SIGNING_KEY: `sig_${random(21)}`,
    QSTASH_NEXT_SIGNING_KEY: `sig_${random(21)}`,
  };
}
