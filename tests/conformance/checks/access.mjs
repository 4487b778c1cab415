// Who may call, and how refusals look.

import assert from "node:assert/strict";

export default {
  async "the token as bearer or in the query; without it 401"(on) {
    const path = "/v2/globalParallelism";
    const unknown = "/v2/messages/msg_unknown";
    for (const headers of [{}, { authorization: "Bearer wrong" }, { authorization: on.token }]) {
      const answer = await fetch(on.url + path, { headers });
      assert.equal(answer.status, 401);
      assert.match(answer.headers.get("content-type"), /^application\/json/);
      assert.deepEqual(Object.keys(await answer.json()), ["error"]);
    }
    assert.equal((await fetch(on.url + unknown, { headers: { authorization: `Bearer ${on.token}` } })).status, 404);
    assert.equal((await fetch(`${on.url}${unknown}?qstash_token=${encodeURIComponent(on.token)}`)).status, 404);
    assert.equal((await fetch(`${on.url}${unknown}?qstash_token=wrong`)).status, 401);
  },

  async "the token in the query does not reach the destination"(on) {
    const endpoint = await on.endpoint();
    const token = encodeURIComponent(on.token);
    const answer = await fetch(`${on.url}/v2/publish/${endpoint.url}/hook?a=1&qstash_token=${token}`, {
      method: "POST",
      body: "b",
    });
    assert.equal(answer.status, 200);
    const [request] = await on.until(() => endpoint.requests.length && endpoint.requests);
    assert.equal(request.url, "/hook?a=1");
    assert.ok(!JSON.stringify(request.headers).includes(on.token));
  },

  async "the read-only token reads, and changes nothing"(on) {
    const { url } = await on.another({ readOnlyToken: "reader" });
    const status = (method, path) =>
      fetch(url + path, { method, headers: { authorization: "Bearer reader" } }).then((answer) => answer.status);
    for (const path of ["/v2/logs", "/v2/queues", "/v2/topics", "/v2/schedules", "/v2/dlq", "/v2/workflows/logs"]) {
      assert.equal(await status("GET", path), 200, path);
    }
    for (const [method, path] of [
      ["GET", "/v2/keys"],
      ["POST", "/v2/keys/rotate"],
      ["POST", "/v2/publish/https://app.test/x"],
      ["POST", "/v2/batch"],
      ["DELETE", "/v2/messages"],
    ]) {
      assert.equal(await status(method, path), 403, path);
    }
  },

  async "private destinations are refused where they are not allowed"(on) {
    const { refused } = await on.another({ privateDestinations: "refuse" });
    for (const host of ["127.0.0.1:1", "localhost", "10.0.0.1", "169.254.169.254", "[::1]", "[fd00::1]"]) {
      await refused(400, "POST", `/v2/publish/http://${host}/`);
    }
    const headers = { "Upstash-Callback": "http://127.0.0.1/" };
    await refused(400, "POST", "/v2/publish/https://app.test/", { headers });
  },

  async "unknown paths and methods are refused with a sentence"(on) {
    await on.refused(404, "GET", "/v2/nothing");
    await on.refused(404, "POST", "/v3/publish/https://app.test");
    await on.refused(405, "PUT", "/v2/batch", { body: [] });
    await on.refused(405, "POST", "/v2/events");
  },
};
