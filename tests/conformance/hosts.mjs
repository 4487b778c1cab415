// The hosts of the broker. Every check runs on each of them.

import { join } from "node:path";
import { startBroker } from "@repo/orchestration/server";
import { developmentBindings, startWorker } from "../../scripts/workerd.mjs";
import { folder } from "../worker/support.mjs";
import { PENDING_SHARDED } from "./pending.mjs";

/**
 * @typedef {object} Broker  a broker that listens
 * @property {string} url
 * @property {string} token
 * @property {{ current: string, next: string }} keys
 * @property {() => Promise<void>} stop
 *
 * @typedef {object} Settings
 * @property {{ llm?: string, email?: string }} [apis]
 * @property {string} [readOnlyToken]
 * @property {"allow" | "refuse"} [privateDestinations]
 *
 * @typedef {object} Host
 * @property {string} name
 * @property {(settings?: Settings) => Promise<Broker>} start  starts one with a storage of its own
 * @property {{ address: string, headers: Record<string, string> }} caller  the address that the host tells the broker of
 *   a request with these headers
 * @property {string[]} [pending]  what it does not do yet, beyond what none does
 */

const development = developmentBindings();
const TOKEN = development.QSTASH_TOKEN;
const KEYS = { current: development.QSTASH_CURRENT_SIGNING_KEY, next: development.QSTASH_NEXT_SIGNING_KEY };

/** @returns {Host} the Worker in workerd, its storage spread over so many objects */
const durableObjects = (name, shards) => ({
  name,
  // What the platform sets; workerd by itself sets nothing.
  caller: { address: "203.0.113.7", headers: { "cf-connecting-ip": "203.0.113.7" } },
  async start({ apis = {}, readOnlyToken, privateDestinations } = {}) {
    const settings = {
      BROKER_LLM_URL: apis.llm,
      BROKER_EMAIL_URL: apis.email,
      QSTASH_READONLY_TOKEN: readOnlyToken,
      BROKER_PRIVATE_DESTINATIONS: privateDestinations,
      BROKER_SHARDS: `${shards}`,
    };
    const set = Object.entries(settings).filter(([, value]) => value !== undefined);
    const bindings = { ...development, ...Object.fromEntries(set) };
    const worker = await startWorker({ persistDir: folder(), bindings });
    return { url: worker.url, token: TOKEN, keys: KEYS, stop: worker.kill };
  },
});

export const durableObject = durableObjects("Durable Object", 1);
export const shardedObjects = { ...durableObjects("Durable Objects, 4 shards", 4), pending: PENDING_SHARDED };

/** @type {Host} */
export const node = {
  name: "Node",
  caller: { address: "127.0.0.1", headers: {} },
  async start(settings) {
    const broker = await startBroker({ port: 0, db: join(folder(), "broker.db"), ...settings });
    const { url, token, currentSigningKey: current, nextSigningKey: next } = broker;
    return { url, token, keys: { current, next }, stop: () => broker.stop() };
  },
};
