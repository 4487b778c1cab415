// A broker with data for looking at the dashboard, until stopped.
// Usage: scripts/node tests/www/seed.mjs [--port 8099] [--runs 40] [--db :memory:]

import { parseArgs } from "node:util";
import { startBroker } from "@repo/orchestration/server";
import { startEndpoints } from "./lib/endpoints.mjs";
import { seed } from "./lib/seed.mjs";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "8099" },
    runs: { type: "string", default: "40" },
    db: { type: "string", default: ":memory:" },
  },
});
const broker = await startBroker({ port: Number(values.port), db: values.db, dashboard: true });
const endpoints = await startEndpoints({ broker });
await seed({ broker, endpoints: endpoints.url, runs: Number(values.runs) });
console.log(`the broker is at ${broker.url}, its endpoints at ${endpoints.url}; Ctrl-C stops both`);
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await Promise.all([endpoints.stop(), broker.stop(0)]);
    process.exit(0);
  });
}
