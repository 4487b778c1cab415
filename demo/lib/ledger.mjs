/**
 * The ledger: a witness outside of the system. Every step tells it that it runs, and it writes that down.
 *
 * `POST /steps` with `{runId, step, attempt, language}` appends an entry and answers `{entry: <number>}`.
 * The step `charge` is refused with 500 on its first two attempts in each run, after it was written down.
 */
import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";

export const REFUSED_STEP = "charge";
export const REFUSALS = 2;
const BODY_LIMIT = 64 * 1024;

/**
 * @typedef {object} LedgerEntry
 * @property {number} entry    its number, from 1
 * @property {number} at       when it was written, Unix time in ms
 * @property {string} runId
 * @property {string} step
 * @property {number} attempt  which try of the delivery the endpoint says it is, from 1
 * @property {string} language
 * @property {200 | 500} status  what the step was answered
 *
 * @typedef {object} Ledger
 * @property {string} url       without the path
 * @property {LedgerEntry[]} entries  oldest first
 * @property {() => Promise<void>} close
 */

/**
 * Starts a ledger on a free loopback port.
 *
 * @param {object} options
 * @param {string} options.file  the entries are appended to it, one JSON text a line
 * @param {(entry: LedgerEntry) => unknown} [options.onEntry]  called after an entry is written and awaited before
 *   the step is answered
 * @returns {Promise<Ledger>}
 */
export async function startLedger({ file, onEntry = () => {} }) {
  /** @type {LedgerEntry[]} */
  const entries = [];

  const server = createServer(async (request, response) => {
    const answer = (status, body) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    try {
      if (request.method !== "POST" || request.url !== "/steps") {
        return answer(404, { error: "the ledger knows POST /steps only" });
      }
      const { runId, step, attempt, language } = readEntry(await readBody(request));
      const before = entries.filter((entry) => entry.runId === runId && entry.step === step).length;
      const status = step === REFUSED_STEP && before < REFUSALS ? 500 : 200;
      const entry = { entry: entries.length + 1, at: Date.now(), runId, step, attempt, language, status };
      entries.push(entry);
      appendFileSync(file, `${JSON.stringify(entry)}\n`);
      await onEntry(entry);
      answer(status, status === 200 ? { entry: entry.entry } : { error: `no ${step} this time` });
    } catch (error) {
      answer(400, { error: error.message });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    url: `http://127.0.0.1:${server.address().port}`,
    entries,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function readBody(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > BODY_LIMIT) throw new Error(`an entry has at most ${BODY_LIMIT} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function readEntry(text) {
  const entry = JSON.parse(text);
  for (const field of ["runId", "step", "language"]) {
    if (typeof entry?.[field] !== "string" || entry[field] === "") throw new Error(`${field}: expected a text`);
  }
  if (!Number.isInteger(entry.attempt) || entry.attempt < 1) throw new Error("attempt: expected a number from 1");
  return entry;
}
