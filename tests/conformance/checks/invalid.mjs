// Bad input: 400 with a sentence that names what is wrong, and nothing is stored.

import assert from "node:assert/strict";

const publish = (on, headers, destination = "https://app.test/x") =>
  on.refused(400, "POST", `/v2/publish/${destination}`, { headers });

export default {
  async "settings that can't be read"(on) {
    for (const [name, value] of Object.entries({
      "Upstash-Method": "BREW",
      "Upstash-Delay": "soon",
      "Upstash-Not-Before": "tomorrow",
      "Upstash-Retries": "-1",
      "Upstash-Retry-Delay": "pow(retried",
      "Upstash-Timeout": "0s",
      "Upstash-Label": "a b",
      "Upstash-Content-Based-Deduplication": "maybe",
      "Upstash-Callback": "ftp://app.test",
      "Upstash-Failure-Callback": "not a url",
    })) {
      const sentence = await publish(on, { [name]: value });
      assert.ok(/Upstash-|retry delay|URL/.test(sentence), `${name}: ${sentence}`);
    }
    const sentence = await publish(on, {
      "Upstash-Callback": "https://app.test/callback",
      "Upstash-Callback-Retries": "many",
    });
    assert.match(sentence, /Callback/);
  },

  async "destinations that are none"(on) {
    for (const destination of ["ftp://app.test/x", "https://", "http://user:secret@app.test/"]) {
      await publish(on, {}, destination);
    }
    assert.match(await publish(on, {}, "api/llm"), /llm|no longer|provider/i);
  },

  async "chat completions are told to be gone"(on) {
    await on.refused(400, "POST", "/llm/v1/chat/completions", { body: { model: "m", messages: [] } });
  },

  async "what is too large is refused, and nothing of it is accepted"(on) {
    const publish = "/v2/publish/https://app.test/x";
    const large = "x".repeat(1024 * 1024 + 1);
    await on.refused(413, "POST", publish, { body: large });
    const big = { destination: "https://app.test/x", headers: {}, body: large };
    const small = { ...big, headers: { "Upstash-Delay": "1d" }, body: "" };
    const [accepted, refused] = await on.json(200, "POST", "/v2/batch", { body: [small, big] });
    assert.ok(accepted.messageId && refused.error);
    await on.qstash.messages.cancel(accepted.messageId);
    await on.refused(400, "POST", "/v2/batch", { body: Array(501).fill(small) });
    await on.refused(413, "POST", publish, { headers: { "Upstash-Forward-X": "x".repeat(16 * 1024 + 1) } });
  },
};
