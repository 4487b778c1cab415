/**
 * How the broker's throughput in workerd grows with the number of its objects. Quote the ratios: the rates depend on the
 * machine. workerd runs all objects of a Worker in one thread, so on one machine only what waits grows; on Cloudflare
 * objects are on threads and machines of their own.
 *
 *   scripts/build-worker && scripts/node benches/shards.mjs
 */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { developmentBindings, startWorker } from "../scripts/workerd.mjs";

const BATCHES = 8;
const MESSAGES = 50;
const ENDPOINT_MS = [0, 100];
const SHARDS = [1, 4];

const folder = mkdtempSync(join(tmpdir(), "orchestration-shards-"));
try {
  for (const milliseconds of ENDPOINT_MS) {
    const rates = [];
    for (const shards of SHARDS) rates.push(await measure(shards, milliseconds));
    const [one, many] = rates;
    console.log(
      `endpoint of ${milliseconds} ms: accepted ${one.accepted} and ${many.accepted} messages/s ` +
        `(${ratio(many.accepted, one.accepted)} with ${SHARDS[1]} shards), ` +
        `delivered ${one.delivered} and ${many.delivered}/s (${ratio(many.delivered, one.delivered)})`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Messages a second with so many shards and an endpoint that takes so long. */
async function measure(shards, milliseconds) {
  const total = BATCHES * MESSAGES;
  const seen = new Set();
  let done;
  const all = new Promise((resolve) => {
    done = resolve;
  });
  const endpoint = createServer(async (request, response) => {
    request.resume();
    await pause(milliseconds);
    response.end();
    seen.add(request.headers["upstash-message-id"]);
    if (seen.size === total) done();
  });
  await new Promise((resolve) => endpoint.listen(0, "127.0.0.1", resolve));
  const bindings = { ...developmentBindings(), BROKER_SHARDS: String(shards) };
  const broker = await startWorker({ persistDir: join(folder, `${shards}-${milliseconds}`), bindings });
  try {
    const destination = `http://127.0.0.1:${endpoint.address().port}/`;
    const batch = JSON.stringify(Array.from({ length: MESSAGES }, () => ({ destination, body: "x" })));
    const headers = { authorization: `Bearer ${bindings.QSTASH_TOKEN}`, "content-type": "application/json" };
    const started = performance.now();
    const publish = () => fetch(`${broker.url}/v2/batch`, { method: "POST", headers, body: batch });
    const answers = await Promise.all(Array.from({ length: BATCHES }, publish));
    for (const answer of answers) if (!answer.ok) throw new Error(await answer.text());
    const accepted = performance.now();
    await all;
    const delivered = performance.now();
    const rate = (end) => Math.round((total * 1000) / (end - started));
    return { accepted: rate(accepted), delivered: rate(delivered) };
  } finally {
    await broker.stop();
    endpoint.closeAllConnections();
    endpoint.close();
  }
}

function ratio(many, one) {
  return `${(many / one).toFixed(2)} times`;
}
