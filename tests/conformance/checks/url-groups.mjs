// `/v2/topics`: one message for many endpoints.

import assert from "node:assert/strict";

export default {
  async "add, get, list, remove by URL and by name, delete"(on) {
    const name = on.name("group.A_1");
    const { urlGroups } = on.qstash;
    const before = Date.now();
    await urlGroups.addEndpoints({
      name,
      endpoints: [
        { url: "https://one.test/" },
        { url: "https://two.test/", name: "two" },
        { url: "https://three.test/" },
      ],
    });
    const made = await urlGroups.get(name);
    assert.equal(made.name, name);
    for (const moment of [made.createdAt, made.updatedAt]) assert.ok(Math.abs(moment - before) < 10_000);
    assert.deepEqual(made.endpoints.map(({ url }) => url).sort(), [
      "https://one.test/",
      "https://three.test/",
      "https://two.test/",
    ]);
    assert.equal(made.endpoints.find(({ url }) => url === "https://two.test/").name, "two");
    assert.deepEqual(
      (await urlGroups.list()).find((group) => group.name === name),
      made,
    );
    await urlGroups.addEndpoints({ name, endpoints: [{ url: "https://one.test/", name: "one" }] });
    assert.equal((await urlGroups.get(name)).endpoints.length, 3);
    await urlGroups.removeEndpoints({ name, endpoints: [{ name: "one" }, { url: "https://three.test/" }] });
    assert.deepEqual(
      (await urlGroups.get(name)).endpoints.map(({ url }) => url),
      ["https://two.test/"],
    );
    await urlGroups.removeEndpoints({ name, endpoints: [{ name: "two" }] });
    await assert.rejects(urlGroups.get(name), { status: 404 });
    await urlGroups.addEndpoints({ name, endpoints: [{ url: "https://one.test/" }] });
    await urlGroups.delete(name);
    await assert.rejects(urlGroups.get(name), { status: 404 });
    assert.ok(!(await urlGroups.list()).some((group) => group.name === name));
  },

  async "publish: a message for each endpoint, which says where it comes from"(on) {
    const name = on.name("fan");
    const endpoint = await on.endpoint();
    const endpoints = ["a", "b", "c"].map((path) => ({ url: `${endpoint.url}/${path}`, name: path }));
    await on.qstash.urlGroups.addEndpoints({ name, endpoints });
    const results = await on.qstash.publishJSON({ urlGroup: name, body: { n: 1 }, headers: { "x-own": "1" } });
    assert.deepEqual(
      results.map(({ url }) => url).sort(),
      endpoints.map(({ url }) => url),
    );
    assert.equal(new Set(results.map(({ messageId }) => messageId)).size, 3);
    await on.until(() => endpoint.requests.length === 3);
    for (const { url, headers, body } of endpoint.requests) {
      const sent = results.find((result) => result.url === endpoint.url + url);
      assert.equal(headers["upstash-message-id"], sent.messageId);
      assert.equal(headers["upstash-topic-name"], name);
      assert.equal(headers["x-own"], "1");
      const signed = { signature: headers["upstash-signature"], url: sent.url, body: body.toString() };
      assert.ok(await on.receiver.verify(signed));
    }
  },

  async "one endpoint's failure is its own; callback, log and dead letter name the group"(on) {
    const name = on.name("half");
    const endpoint = await on.endpoint(({ url }) => (url === "/bad" ? { status: 500 } : {}));
    const back = await on.endpoint();
    await on.qstash.urlGroups.addEndpoints({
      name,
      endpoints: [{ url: `${endpoint.url}/good` }, { url: `${endpoint.url}/bad`, name: "bad" }],
    });
    const results = await on.qstash.publish({ urlGroup: name, retries: 0, callback: back.url });
    const id = (path) => results.find(({ url }) => url.endsWith(path)).messageId;
    const letter = await on.letter(id("/bad"));
    assert.deepEqual([letter.topicName, letter.urlGroup, letter.endpointName], [name, name, "bad"]);
    await on.states(id("/good"), "DELIVERED");
    await on.until(() => back.requests.length === 2);
    const told = back.requests.map(({ body }) => JSON.parse(body));
    assert.ok(told.every(({ topicName }) => topicName === name));
    assert.equal(told.find(({ status }) => status === 500).endpointName, "bad");
    const { messages } = await on.qstash.dlq.listMessages({ filter: { urlGroup: name } });
    assert.equal(messages.length, 1);
    const { logs } = await on.qstash.logs({ filter: { urlGroup: name, state: "CREATED" } });
    assert.ok(logs.every((log) => log.topicName === name));
    const urls = logs.map(({ url }) => url).filter((url) => url.startsWith(endpoint.url));
    assert.deepEqual(urls.sort(), [`${endpoint.url}/bad`, `${endpoint.url}/good`]);
  },

  async "unknown groups and bad requests are refused"(on) {
    await on.refused(404, "GET", "/v2/topics/unknown");
    assert.ok([400, 404].includes((await on.api("POST", "/v2/publish/unknown-group")).status));
    await on.refused(400, "POST", `/v2/topics/${on.name("bad")}/endpoints`, { body: { endpoints: [{ url: "nope" }] } });
    await on.refused(400, "POST", `/v2/topics/${on.name("bad")}/endpoints`, { body: "{" });
  },

  async "a group has publish headers of its own"(on) {
    const name = on.name("hooked");
    const endpoint = await on.endpoint(() => ({ status: 500 }));
    await on.qstash.urlGroups.addEndpoints({ name, endpoints: [{ url: endpoint.url }] });
    await on.done("PATCH", `/v2/topics/${name}`, { body: { headers: { "Upstash-Retries": ["0"] } } });
    const [{ messageId }] = await on.qstash.publish({ urlGroup: name });
    assert.equal((await on.letter(messageId)).maxRetries, 0);
  },
};
