/**
 * How the broker's throughput in workerd grows with the number of its objects. Quote the ratios: the rates depend on the
 * machine. workerd runs all objects of a Worker in one thread, which waits for the disk at each commit: there only what
 * waits for endpoints grows. On Cloudflare objects are on threads, machines and disks of their own.
 *
 *   scripts/build-worker && scripts/node benches/shards.mjs
 */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { developmentBindings, startWorker } from "../scripts/workerd.mjs";

const PUBLISHERS = 16;
/** How long the endpoint takes, and how many messages it gets. */
const LOADS = [
  [0, 600],
  [100, 400],
  [1000, 120],
];
const SHARDS = [1, 4];

const folder = mkdtempSync(join(tmpdir(), "orchestration-shards-"));
try {
  for (const [milliseconds, total] of LOADS) {
    const rates = [];
    for (const shards of SHARDS) rates.push(await measure(shards, milliseconds, total));
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
async function measure(shards, milliseconds, total) {
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
  // What Cloudflare allows each object.
  const bindings = { ...developmentBindings(), BROKER_SHARDS: String(shards), BROKER_CONNECTIONS: "6" };
  const broker = await startWorker({ persistDir: join(folder, `${shards}-${milliseconds}`), bindings });
  try {
    const destination = `http://127.0.0.1:${endpoint.address().port}/`;
    const headers = { authorization: `Bearer ${bindings.QSTASH_TOKEN}` };
    let left = total;
    const publish = async () => {
      while (left-- > 0) {
        const answer = await fetch(`${broker.url}/v2/publish/${destination}`, { method: "POST", headers, body: "x" });
        if (!answer.ok) throw new Error(await answer.text());
        await answer.text();
      }
    };
    const started = performance.now();
    await Promise.all(Array.from({ length: PUBLISHERS }, publish));
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
