// `make dev`: the broker and the sample workflow on port 8080, with their storage in .orchestration/, until stopped.
// Usage: scripts/node scripts/dev.mjs [--port 8080] [--storage .orchestration]

import { parseArgs } from "node:util";

const NODE_MINIMUM = [22, 12];
/** That of the first user of QStash's development server, which everybody knows. */
const PUBLIC_TOKEN = "eyJVc2VySUQiOiJkZWZhdWx0VXNlciIsIlBhc3N3b3JkIjoiZGVmYXVsdFBhc3N3b3JkIn0=";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < NODE_MINIMUM[0] || (major === NODE_MINIMUM[0] && minor < NODE_MINIMUM[1])) {
  fail(
    `Node ${NODE_MINIMUM.join(".")} or newer is needed, this is ${process.versions.node}; \`make dev\` brings its own`,
  );
}

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "8080" },
    storage: { type: "string", default: ".orchestration" },
  },
});
const port = Number(values.port);
if (!Number.isInteger(port) || port < 1 || port > 65535)
  fail(`--port must be a number from 1 to 65535, got '${values.port}'`);

// Only now, so that an old Node gets the sentence above and not a syntax error.
const { developmentBindings, startWorker } = await import("./workerd.mjs");

const bindings = developmentBindings();
let broker;
try {
  broker = await startWorker({ port, persistDir: values.storage, bindings, onLog: (line) => console.error(line) });
} catch (error) {
  if (error.code !== "EADDRINUSE") fail(error.message);
  fail(`port ${port} is taken by another program: stop it, or run \`scripts/node scripts/dev.mjs --port ${port + 1}\``);
}

console.log(`
  The broker is ready. Its storage stays in ${values.storage}/; Ctrl-C stops it.

  QSTASH_URL="${broker.url}"
  QSTASH_TOKEN="${bindings.QSTASH_TOKEN}"
  QSTASH_CURRENT_SIGNING_KEY="${bindings.QSTASH_CURRENT_SIGNING_KEY}"
  QSTASH_NEXT_SIGNING_KEY="${bindings.QSTASH_NEXT_SIGNING_KEY}"

  Dashboard:  ${dashboard()}
  A sample workflow in Rust:  ${broker.url}/samples/order
`);

let stopping = false;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, async () => {
    if (stopping) return;
    stopping = true;
    await broker.stop();
    console.log("The broker has stopped.");
    process.exit(0);
  });
}
await broker.exited;
if (!stopping) fail(`workerd ended by itself:\n${broker.logs()}`);

/** Its address, with the token if that is the one that everybody knows. */
function dashboard() {
  if (!broker.dashboard) return "not built; scripts/build-www builds it";
  const isPublic = bindings.QSTASH_TOKEN === PUBLIC_TOKEN;
  return isPublic ? `${broker.dashboard}#token=${encodeURIComponent(bindings.QSTASH_TOKEN)}` : broker.dashboard;
}

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(1);
}
