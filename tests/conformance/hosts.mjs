// The hosts of the broker. Every check runs on each of them.

import { developmentBindings, startWorker } from "../../scripts/workerd.mjs";
import { folder } from "../worker/support.mjs";

/**
 * @typedef {object} Broker  a broker that listens
 * @property {string} url
 * @property {string} token
 * @property {{ current: string, next: string }} keys
 * @property {() => Promise<void>} stop
 *
 * @typedef {object} Host
 * @property {string} name
 * @property {() => Promise<Broker>} start  starts one with a storage of its own
 * @property {{ address: string, headers: Record<string, string> }} caller  the address that the host tells the broker of
 *   a request with these headers
 */

const development = developmentBindings();
const TOKEN = development.QSTASH_TOKEN;
const KEYS = { current: development.QSTASH_CURRENT_SIGNING_KEY, next: development.QSTASH_NEXT_SIGNING_KEY };

/** @type {Host} */
export const durableObject = {
  name: "Durable Object",
  // What the platform sets; workerd by itself sets nothing.
  caller: { address: "203.0.113.7", headers: { "cf-connecting-ip": "203.0.113.7" } },
  async start() {
    const worker = await startWorker({ persistDir: folder() });
    return { url: worker.url, token: TOKEN, keys: KEYS, stop: worker.kill };
  },
};
