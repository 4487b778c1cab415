// Runs the checks of the official Python client against a host, and tells each of them as a test.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { PENDING_PYTHON as PENDING } from "../conformance/pending.mjs";

const RUN = fileURLToPath(new URL("run.py", import.meta.url));
const LIMIT_MS = 180_000;
const packages = process.env.PYTHON_CLIENT_DIR;

/** @param {import("../conformance/hosts.mjs").Host} host */
export function python(host) {
  test(`the Python client, ${host.name}`, async (t) => {
    assert.ok(packages, "PYTHON_CLIENT_DIR is not set; run this by: scripts/test python");
    const broker = await host.start();
    t.after(() => broker.stop());
    const results = await run(broker);
    assert.ok(results.length > 40, `only ${results.length} checks ran`);
    for (const { name, error } of results) {
      await t.test(name, () => {
        if (!isPending(name)) assert.equal(error, null, error);
        else assert.ok(error, "it passes: remove it from pending.mjs");
      });
    }
    const stale = PENDING.filter((entry) => !results.some(({ name }) => name.startsWith(entry)));
    assert.deepEqual(stale, [], "remove these from pending.mjs");
  });
}

const isPending = (name) => PENDING.some((entry) => name.startsWith(entry));

async function run({ url, token, keys }) {
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    PYTHONPATH: packages,
    PYTHONDONTWRITEBYTECODE: "1",
    NO_PROXY: "*",
    QSTASH_URL: url,
    QSTASH_TOKEN: token,
    QSTASH_CURRENT_SIGNING_KEY: keys.current,
    QSTASH_NEXT_SIGNING_KEY: keys.next,
    ...(PENDING.length > 0 && { PATIENCE_SECONDS: "5" }),
  };
  const child = spawn("python3", [RUN], { env, stdio: ["ignore", "ignore", "pipe", "pipe"], timeout: LIMIT_MS });
  const results = [];
  const complaints = [];
  createInterface({ input: child.stdio[3] }).on("line", (line) => results.push(JSON.parse(line)));
  createInterface({ input: child.stderr }).on("line", (line) => complaints.push(line));
  const [code, signal] = await once(child, "close");
  assert.equal(
    code,
    0,
    `python3 ended with ${code ?? signal} after ${results.length} checks:\n${complaints.join("\n")}`,
  );
  return results;
}
