// `/v2/keys`: signing keys and their rotation.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Receiver } from "@upstash/qstash";

/** Has no settings: the development mode brings them along. */
const PUBLISHES = `
import { Client } from "@upstash/qstash";
console.log((await new Client().publish({ url: process.argv[1] })).messageId);
`;

export default {
  async "the keys, as the dev server's health probe asks for them"(on) {
    assert.deepEqual(await on.json(200, "GET", "/v2/keys"), on.keys);
  },

  async "the official development mode takes the broker for its own server"(on) {
    const endpoint = await on.endpoint();
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--input-type=module", "--eval", PUBLISHES, endpoint.url],
      {
        cwd: dirname(fileURLToPath(import.meta.url)),
        env: { PATH: process.env.PATH, QSTASH_DEV: "true", QSTASH_DEV_PORT: new URL(on.url).port },
        timeout: 20_000,
      },
    );
    assert.match(stdout, /Server already running/);
    const request = await on.until(() => endpoint.requests[0]);
    assert.ok(stdout.trim().endsWith(request.headers["upstash-message-id"]), stdout);
  },

  "rotation: next becomes current, and receivers with the former keys go on for one rotation": {
    alone: true,
    async run(on) {
      const endpoint = await on.endpoint();
      const deliver = async () => {
        const count = endpoint.requests.length;
        await on.qstash.publish({ url: endpoint.url, body: `${count}` });
        const { headers, body } = await on.until(() => endpoint.requests[count]);
        return { signature: headers["upstash-signature"], body: body.toString() };
      };
      const receiver = ({ current, next }) => new Receiver({ currentSigningKey: current, nextSigningKey: next });
      const former = receiver(on.keys);
      assert.ok(await former.verify(await deliver()));
      const first = await on.json(200, "POST", "/v2/keys/rotate");
      assert.equal(first.current, on.keys.next);
      assert.match(first.next, /^sig_/);
      assert.ok(!Object.values(on.keys).includes(first.next));
      assert.deepEqual(await on.json(200, "GET", "/v2/keys"), first);
      const delivered = await deliver();
      assert.ok(await former.verify(delivered));
      assert.ok(await receiver(first).verify(delivered));
      const second = await on.json(200, "POST", "/v2/keys/rotate");
      assert.equal(second.current, first.next);
      const late = await deliver();
      assert.ok(await receiver(first).verify(late));
      await assert.rejects(former.verify(late));
    },
  },
};
