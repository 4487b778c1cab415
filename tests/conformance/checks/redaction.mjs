// `Upstash-Redact-Fields`: what logs and dead letters hide, and deliveries don't.

import assert from "node:assert/strict";

const SECRET = "4111-1111";
const HASHED = /REDACTED:[0-9a-f]{64}/i;

async function failing(on, redact) {
  const state = { broken: true };
  const endpoint = await on.endpoint(() => (state.broken ? { status: 500 } : {}));
  const headers = { authorization: SECRET, "x-own": SECRET };
  const message = { url: endpoint.url, body: SECRET, headers, redact, retries: 0 };
  const { messageId } = await on.qstash.publish(message);
  const letter = await on.letter(messageId);
  const { logs } = await on.qstash.logs({ filter: { messageId } });
  return { state, endpoint, letter, logs };
}

export default {
  async "the body is hidden; deliveries and retries carry it"(on) {
    const { state, endpoint, letter, logs } = await failing(on, { body: true });
    assert.equal(endpoint.requests[0].body.toString(), SECRET);
    assert.match(letter.body, HASHED);
    assert.deepEqual(letter.header["X-Own"], [SECRET]);
    for (const log of logs) assert.ok(!JSON.stringify({ ...log, header: {} }).includes(SECRET));
    const { messages } = await on.qstash.dlq.listMessages({ filter: { messageId: letter.messageId } });
    assert.match(messages[0].body, HASHED);
    state.broken = false;
    await on.qstash.dlq.retry(letter.dlqId);
    await on.until(() => endpoint.requests.length === 2);
    assert.equal(endpoint.requests[1].body.toString(), SECRET);
    assert.equal(endpoint.requests[1].headers["x-own"], SECRET);
  },

  async "headers are hidden, all or by name"(on) {
    const some = await failing(on, { header: ["Authorization"] });
    assert.match(some.letter.header.Authorization[0], HASHED);
    assert.deepEqual(some.letter.header["X-Own"], [SECRET]);
    assert.equal(some.letter.body, SECRET);
    const all = await failing(on, { header: true, body: true });
    assert.ok(!JSON.stringify([all.letter, all.logs]).includes(SECRET));
    assert.equal(all.endpoint.requests[0].headers.authorization, SECRET);
  },

  async "the spelling of the docs and of the SDK; others are refused"(on) {
    const publish = "/v2/publish/https://app.test/x";
    for (const fields of [
      "body",
      "header",
      "headers",
      "header[Authorization]",
      "body,header[A],header[B]",
      "body, headers",
    ]) {
      const headers = { "upstash-redact-fields": fields, "upstash-delay": "1d" };
      const { messageId } = await on.json(200, "POST", publish, { headers, body: SECRET });
      const shown = await on.qstash.messages.get(messageId);
      if (fields.startsWith("body")) assert.ok(!JSON.stringify(shown).includes(SECRET), fields);
    }
    await on.refused(400, "POST", publish, { headers: { "upstash-redact-fields": "everything" } });
  },
};
