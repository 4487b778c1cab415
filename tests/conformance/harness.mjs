// Runs every check on a host, many at a time.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { checks } from "./checks/index.mjs";
import { fixture } from "./fixture.mjs";
import { PENDING } from "./pending.mjs";
import { official } from "./sdks.mjs";

const AT_ONCE = 8;
/** What is not there yet is not waited for. */
const PENDING_LIMIT_MS = 1500;

/**
 * @param {import("./hosts.mjs").Host} host
 * @param {typeof official} [sdk]  whose clients and `serve` the checks use
 */
export function conform(host, sdk = official) {
  const pending = [...PENDING, ...(host.pending ?? [])];
  const isPending = (name) => pending.some((entry) => covers(entry, name));
  describe(host.name, { concurrency: AT_ONCE }, () => {
    let shared;
    before(async () => {
      shared = await host.start();
    });
    after(() => shared?.stop());
    for (const check of checks) {
      if (isPending(check.name)) test(`${check.name} (pending)`, (t) => fails(t, host, shared, sdk, check));
      else test(check.name, (t) => run(t, host, shared, sdk, check));
    }
    test("what is said to be pending exists", () => {
      const stale = pending.filter((entry) => !checks.some(({ name }) => covers(entry, name)));
      assert.deepEqual(stale, [], "remove these from pending.mjs");
    });
  });
}

const covers = (entry, name) => name === entry || name.startsWith(`${entry}: `);

async function run(t, host, shared, sdk, check, limit) {
  if (!check.alone) return check.run(fixture(t, host, shared, sdk, limit));
  const own = await host.start();
  t.after(() => own.stop());
  return check.run(fixture(t, host, own, sdk, limit));
}

async function fails(t, host, shared, sdk, check) {
  const passed = await run(t, host, shared, sdk, check, PENDING_LIMIT_MS).then(
    () => true,
    () => false,
  );
  assert.ok(!passed, "it passes: remove it from pending.mjs");
}
