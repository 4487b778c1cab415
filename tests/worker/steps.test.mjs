// Every kind of step that waits for somebody else, on the broker in workerd: with the official SDK's `serve`, unmodified,
// and with ours.

import assert from "node:assert/strict";
import test from "node:test";
import { createWorkflow } from "@upstash/workflow/cloudflare";
import { broker, SDKS, server, serving, servingMany, until } from "./support.mjs";

/** The state and the parsed result of a run that has ended. */
async function end(on, runId) {
  const { workflowState, workflowRunResponse } = await on.ended(runId);
  return { state: workflowState, result: workflowRunResponse && JSON.parse(workflowRunResponse) };
}

for (const sdk of SDKS) {
  test(`${sdk.name}: context.call: text, bytes and JSON of any size, methods, headers, retries and failures`, async (t) => {
    const on = await broker(t);
    const large = "ü\n".repeat(150_000);
    let flaky = 0;
    const third = await server(t, ({ method, url, headers, body }) => {
      const json = { "content-type": "application/json" };
      if (url === "/echo") {
        const seen = { method, key: headers["x-key"], user: headers["x-user"] ?? null, body: String(body) };
        return { headers: { ...json, "x-answer": "1" }, body: JSON.stringify(seen) };
      }
      if (url === "/large") return { headers: { "content-type": "text/plain" }, body: large };
      if (url === "/bytes") return { body: Buffer.from([0, 255, 128, 10]) };
      if (url === "/flaky") {
        flaky += 1;
        return { status: flaky < 3 ? 500 : 201 };
      }
      return { status: 404, headers: json, body: '{"error":"gone"}' };
    });
    const seen = {};
    const endpoint = await serving(t, on, sdk, async (context) => {
      const { url } = third;
      seen.echo = await context.call("echo", {
        url: `${url}/echo`,
        method: "PUT",
        body: JSON.stringify({ n: context.requestPayload.n }),
        headers: { "x-key": "k" },
        timeout: 10,
      });
      const [big, bytes] = await Promise.all([
        context.call("large", { url: `${url}/large` }),
        context.call("bytes", { url: `${url}/bytes` }),
      ]);
      seen.large = big.body;
      seen.bytes = [...bytes.body].map((char) => char.charCodeAt(0));
      seen.gone = await context.call("gone", { url: `${url}/gone` });
      seen.flaky = await context.call("flaky", { url: `${url}/flaky`, retries: 2, retryDelay: "100" });
      return seen.echo.status;
    });
    const { workflowRunId } = await on.workflow.trigger({
      url: `${endpoint.url}/w`,
      body: { n: 1 },
      headers: { "x-user": "u" },
    });
    assert.deepEqual(await end(on, workflowRunId), { state: "RUN_SUCCESS", result: 200 });
    assert.deepEqual(seen.echo.body, { method: "PUT", key: "k", user: null, body: '{"n":1}' });
    assert.deepEqual(seen.echo.header["X-Answer"], ["1"]);
    assert.ok(seen.large === large, "the large text came back as it was");
    assert.deepEqual(seen.bytes, [0, 255, 128, 10]);
    assert.deepEqual([seen.gone.status, seen.gone.body], [404, { error: "gone" }]);
    assert.deepEqual([seen.flaky.status, flaky], [201, 3]);
    const callbacks = endpoint.requests.filter(({ headers }) => headers["upstash-workflow-callback"]);
    assert.equal(callbacks.length, 5, "the tries that failed are not told");
    for (const { headers, body } of callbacks) {
      assert.equal(headers["x-user"], "u", "the trigger's headers reach callbacks");
      assert.equal(headers["upstash-workflow-sdk-version"], undefined);
      assert.ok(body.length > 0);
    }
  });

  test(`${sdk.name}: a step that can't be accepted fails the run instead of leaving it to hang`, async (t) => {
    const on = await broker(t);
    const endpoint = await serving(t, on, sdk, (context) => context.call("bad", context.requestPayload));
    for (const body of [{ url: "ftp://nowhere" }, { url: "http://127.0.0.1:9", retries: 1_000_000 }]) {
      const { workflowRunId } = await on.workflow.trigger({ url: `${endpoint.url}/w`, body });
      assert.equal((await end(on, workflowRunId)).state, "RUN_FAILED");
    }
  });

  test(`${sdk.name}: a call's body that is no text arrives as JSON`, async (t) => {
    const on = await broker(t);
    const { url, requests } = await server(t, () => ({ status: 201 }));
    const body = { z: [1, "“”"], a: null };
    const endpoint = await serving(t, on, sdk, (context) => context.call("post", { url, method: "POST", body }));
    const { workflowRunId } = await on.workflow.trigger({ url: `${endpoint.url}/w` });
    assert.equal((await end(on, workflowRunId)).state, "RUN_SUCCESS");
    assert.deepEqual(
      requests.map((request) => request.body.toString()),
      [JSON.stringify(body)],
    );
  });

  test(`${sdk.name}: waitForEvent and notify: from a client, from another run, looking back, and timing out`, async (t) => {
    const on = await broker(t);
    const endpoint = await servingMany(t, on, sdk, {
      waiter: createWorkflow(async (context) => {
        const first = await context.waitForEvent("first", "paid", { timeout: "1h" });
        const second = await context.waitForEvent("second", "early", { timeout: 3600 });
        const third = await context.waitForEvent("third", "never", { timeout: 1 });
        return { first, second, third };
      }),
      notifier: createWorkflow(async (context) => {
        const { notifyResponse, eventData } = await context.notify("tell", "paid", { amount: 5 });
        return { told: notifyResponse.length, eventData };
      }),
    });
    const { workflowRunId } = await on.workflow.trigger({ url: `${endpoint.url}/waiter` });
    const waiters = await until(async () => {
      const found = await on.workflow.getWaiters({ eventId: "paid" });
      return found.length > 0 && found;
    });
    assert.equal(waiters[0].url, `${endpoint.url}/waiter`);
    assert.ok(Math.abs(waiters[0].deadline - Date.now() / 1000 - 3600) < 30);
    await on.workflow.notify({ eventId: "early", eventData: "text", workflowRunId });
    const { workflowRunId: notifier } = await on.workflow.trigger({ url: `${endpoint.url}/notifier` });
    assert.deepEqual((await end(on, notifier)).result, { told: 1, eventData: { amount: 5 } });
    assert.deepEqual((await end(on, workflowRunId)).result, {
      first: { eventData: { amount: 5 }, timeout: false },
      second: { eventData: "text", timeout: false },
      third: { timeout: true },
    });
    assert.deepEqual(await on.workflow.notify({ eventId: "paid", eventData: 1 }), []);
  });

  test(`${sdk.name}: context.invoke: results, failures and cancellations of child runs, side by side`, async (t) => {
    const on = await broker(t);
    const child = createWorkflow(async (context) => {
      const seen = await context.run("see", () => ({
        payload: context.requestPayload,
        header: context.headers.get("x-child"),
      }));
      if (context.requestPayload.how === "fail") await context.run("fail", () => Promise.reject(new Error("no")));
      if (context.requestPayload.how === "sleep") await context.sleep("long", 3600);
      return seen;
    });
    const invoke = (context, how) =>
      context.invoke(how, { workflow: child, body: { how }, headers: { "x-child": how }, retries: 0 });
    const endpoint = await servingMany(t, on, sdk, {
      child,
      parent: createWorkflow(async (context) => {
        const alone = await invoke(context, "return");
        const others = await Promise.all([invoke(context, "fail"), invoke(context, "sleep"), invoke(context, "again")]);
        return { alone, others };
      }),
    });
    const { workflowRunId } = await on.workflow.trigger({ url: `${endpoint.url}/parent` });
    const sleeping = await until(async () => {
      const { runs } = await on.workflow.logs({
        filter: { workflowUrl: `${endpoint.url}/child`, state: "RUN_STARTED" },
      });
      return runs.length === 1 && JSON.stringify(runs[0].steps).includes('"long"') && runs[0];
    });
    assert.equal(sleeping.invoker.workflowRunId, workflowRunId);
    assert.deepEqual(await on.workflow.cancel(sleeping.workflowRunId), { cancelled: 1 });
    const { state, result } = await end(on, workflowRunId);
    assert.equal(state, "RUN_SUCCESS");
    const done = (how) => ({ body: { payload: { how }, header: how }, isFailed: false, isCanceled: false });
    assert.deepEqual(result.alone, done("return"));
    assert.deepEqual(result.others, [
      { isFailed: true, isCanceled: false },
      { isFailed: false, isCanceled: true },
      done("again"),
    ]);
  });

  test(`${sdk.name}: createWebhook and waitForWebhook: the call of a third party, before and after the run waits`, async (t) => {
    const on = await broker(t);
    const urls = [];
    const endpoint = await serving(t, on, sdk, async (context) => {
      const one = await context.createWebhook("make one");
      const two = await context.createWebhook("make two");
      await context.run("tell", () => urls.push(one.webhookUrl, two.webhookUrl));
      const [first, second] = await Promise.all([
        context.waitForWebhook("one", one, "1m"),
        context.waitForWebhook("two", two, "1m"),
      ]);
      const three = await context.createWebhook("make three");
      const late = await context.waitForWebhook("three", three, 1);
      return {
        first: [first.request.method, new URL(first.request.url).search, await first.request.text()],
        second: [second.request.method, second.request.headers.get("x-shop"), await second.request.json()],
        late: late.timeout,
      };
    });
    const { workflowRunId } = await on.workflow.trigger({ url: `${endpoint.url}/w` });
    await until(() => urls.length === 2);
    assert.ok(urls[0].startsWith(`${on.url}/v2/workflows/hooks/defaultUser/${workflowRunId}/evt_`), urls[0]);
    const call = (url, init) => fetch(url, init).then(({ status }) => status);
    assert.equal(await call(`${urls[1]}x`, { method: "POST" }), 404);
    const headers = { "x-shop": "s", "content-type": "application/json" };
    assert.equal(await call(urls[1], { method: "POST", headers, body: '{"paid":"ü"}' }), 200);
    assert.equal(await call(`${urls[0]}?ref=1`, { method: "GET" }), 200);
    assert.deepEqual(await end(on, workflowRunId), {
      state: "RUN_SUCCESS",
      result: { first: ["GET", "?ref=1", ""], second: ["POST", "s", { paid: "ü" }], late: true },
    });
  });

  test(`${sdk.name}: a call, an invocation, an event, a webhook, a sleep and a function side by side`, async (t) => {
    const on = await broker(t);
    const third = await server(t, () => ({ headers: { "content-type": "text/plain" }, body: "pong" }));
    const child = createWorkflow((context) => context.run("child", () => "from child"));
    let webhookUrl;
    const endpoint = await servingMany(t, on, sdk, {
      child,
      all: createWorkflow(async (context) => {
        const webhook = await context.createWebhook("make");
        await context.run("tell", () => {
          webhookUrl = webhook.webhookUrl;
        });
        const [called, invoked, event, hook, , ran] = await Promise.all([
          context.call("call", { url: third.url }),
          context.invoke("invoke", { workflow: child }),
          context.waitForEvent("event", "go"),
          context.waitForWebhook("hook", webhook),
          context.sleep("nap", 1),
          context.run("run", () => "ran"),
        ]);
        await context.run("last", () => 1);
        return [called.body, invoked.body, event.eventData, await hook.request.text(), ran];
      }),
    });
    const { workflowRunId } = await on.workflow.trigger({ url: `${endpoint.url}/all` });
    await until(() => webhookUrl);
    await fetch(webhookUrl, { method: "POST", body: "hooked" });
    await on.workflow.notify({ eventId: "go", eventData: { now: true }, workflowRunId });
    assert.deepEqual(await end(on, workflowRunId), {
      state: "RUN_SUCCESS",
      result: ["pong", "from child", { now: true }, "hooked", "ran"],
    });
  });

  test(`${sdk.name}: what a run waits for survives SIGKILL of the broker`, async (t) => {
    const on = await broker(t);
    const child = createWorkflow(async (context) => {
      await context.sleep("nap", 1);
      return context.run("child", () => "done");
    });
    const endpoint = await servingMany(t, on, sdk, {
      child,
      parent: createWorkflow(async (context) => {
        const [event, invoked, late] = await Promise.all([
          context.waitForEvent("event", "go", { timeout: "1m" }),
          context.invoke("invoke", { workflow: child }),
          context.waitForEvent("late", "never", { timeout: 2 }),
        ]);
        return [event.eventData, invoked.body, late.timeout];
      }),
    });
    const { workflowRunId } = await on.workflow.trigger({ url: `${endpoint.url}/parent` });
    await until(async () => (await on.workflow.getWaiters({ eventId: "go" })).length === 1);
    await until(async () => (await on.workflow.getWaiters({ eventId: "never" })).length === 1);
    await on.kill();
    await on.restart();
    await on.workflow.notify({ eventId: "go", eventData: "kept" });
    assert.deepEqual(await end(on, workflowRunId), { state: "RUN_SUCCESS", result: ["kept", "done", true] });
  });
}
