/** `useWorkflowRun`: live, by polling, shared, and gone when nobody looks. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { refuse, reply } from "./api.mjs";
import { act, createHarness, pass, until } from "./harness.mjs";

const STREAM = "GET /runs/wfr_1/events";
const LOOK = "GET /runs/wfr_1";
const follow = ({ useWorkflowRun }) => useWorkflowRun("wfr_1");

/** The stream is refused, looks are not. */
const withoutStreams = ({ path }, response) => path.endsWith("/events") && refuse(response, 503, "ProviderUnavailable");

describe("following a run", () => {
  test("live: every change is told on one connection, which ends with the run; also in strict mode", async (t) => {
    const { api, begun, render } = await createHarness(t);
    api.put("wfr_1", { status: "pending" });
    const { result } = render(follow);
    assert.deepEqual([result.current.isLoading, result.current.connection], [true, "connecting"]);
    await until(() => result.current.status === "pending");
    assert.deepEqual([result.current.isLoading, result.current.connection], [false, "live"]);
    api.put("wfr_1", { status: "running", steps: [{ name: "charge" }] });
    await until(() => result.current.run?.steps.length === 1);
    api.put("wfr_1", { status: "completed", output: { ok: true } });
    await until(() => result.current.isFinished);
    assert.deepEqual([result.current.output, result.current.connection], [{ ok: true }, "closed"]);
    assert.deepEqual(begun, [STREAM]);
  });

  test("without an id nothing is asked", async (t) => {
    const harness = await createHarness(t);
    const { result } = harness.render(({ useWorkflowRun }) => useWorkflowRun(undefined));
    await pass(harness, 2);
    assert.equal(harness.api.asked(STREAM).length + harness.api.count(LOOK), 0);
    assert.deepEqual([result.current.connection, result.current.isLoading], ["idle", false]);
  });

  test("components that follow the same run share its connection, until the last one goes", async (t) => {
    const { api, render } = await createHarness(t);
    api.put("wfr_1");
    const [one, two] = [render(follow), render(follow)];
    await until(() => one.result.current.run && two.result.current.run);
    one.unmount();
    api.put("wfr_1", { labels: ["seen"] });
    await until(() => two.result.current.run.labels.length === 1);
    assert.equal(api.count(STREAM), 1);
    two.unmount();
    await until(() => api.asked(STREAM)[0].isCut);
  });

  test("another id: the old connection is closed, a new one opened", async (t) => {
    const { api, render } = await createHarness(t);
    api.put("wfr_1");
    api.put("wfr_2", { workflowId: "other" });
    const { result, rerender } = render(({ useWorkflowRun }, id = "wfr_1") => useWorkflowRun(id));
    await until(() => result.current.run?.workflowRunId === "wfr_1");
    rerender("wfr_2");
    assert.equal(result.current.run, undefined);
    await until(() => result.current.run?.workflowId === "other");
    await until(() => api.asked(STREAM)[0].isCut);
  });

  test("a stream that the server ends is opened again, without polling", async (t) => {
    const { api, render } = await createHarness(t);
    api.put("wfr_1");
    const { result } = render(follow);
    for (const times of [1, 2, 3]) {
      await until(() => api.streams.size === 1 && api.count(STREAM) === times && result.current.run);
      api.endStreams();
    }
    await until(() => api.count(STREAM) === 4);
    assert.equal(api.count(LOOK), 0);
    assert.equal(result.current.error, undefined);
  });

  test("not at once, so that a server that ends streams early is not flooded; at once when somebody comes back", async (t) => {
    const harness = await createHarness(t, { reconnectMs: 60_000 });
    const { api, render } = harness;
    api.put("wfr_1");
    const { result } = render(follow);
    await until(() => api.streams.size === 1 && result.current.run);
    api.endStreams();
    await pass(harness, 5);
    assert.equal(api.count(STREAM), 1);
    window.dispatchEvent(new Event("focus"));
    await until(() => api.count(STREAM) === 2);
  });

  test("a look that was overtaken by the stream tells nothing", async (t) => {
    const { api, render } = await createHarness(t);
    api.put("wfr_1");
    const { result } = render(follow);
    await until(() => result.current.run);
    let held;
    api.intercept = ({ path }, response) => {
      if (path !== "/runs/wfr_1") return false;
      held = response;
      return true;
    };
    let refreshed;
    act(() => {
      refreshed = result.current.refresh();
    });
    await until(() => held);
    const old = api.runs.get("wfr_1");
    api.put("wfr_1", { status: "completed" });
    await until(() => result.current.isFinished);
    reply(held, 200, old);
    await act(() => refreshed);
    assert.deepEqual([result.current.status, result.current.connection], ["completed", "closed"]);
  });

  test("a stream that is cut is opened again", async (t) => {
    const { api, render } = await createHarness(t);
    api.put("wfr_1");
    const { result } = render(follow);
    await until(() => api.streams.size === 1 && result.current.run);
    api.cutStreams();
    await until(() => api.streams.size === 1);
    api.put("wfr_1", { status: "completed" });
    await until(() => result.current.isFinished);
  });

  test("polling while streams are refused, and live again once they are not", async (t) => {
    const { api, render } = await createHarness(t);
    api.intercept = withoutStreams;
    api.put("wfr_1");
    const { result } = render(follow);
    await until(() => result.current.connection === "polling");
    assert.equal(result.current.status, "running");
    api.put("wfr_1", { labels: ["changed"] });
    await until(() => result.current.run.labels.length === 1);
    const tried = api.count(STREAM);
    await until(() => api.count(STREAM) > tried);
    api.intercept = () => false;
    await until(() => result.current.connection === "live");
    api.put("wfr_1", { status: "failed", error: { message: "no" } });
    await until(() => result.current.isFinished);
    assert.equal(result.current.run.error.message, "no");
  });

  test("streams are tried again with longer and longer pauses", async (t) => {
    const harness = await createHarness(t, { reconnectMs: 20, pollIntervalMs: 5 });
    const { api, render } = harness;
    api.intercept = withoutStreams;
    api.put("wfr_1");
    render(follow);
    await until(() => api.count(LOOK) >= 40);
    const looks = [];
    for (const { path } of api.requests)
      if (path.endsWith("/events")) looks.push(0);
      else if (looks.length > 0) looks[looks.length - 1] += 1;
    assert.ok(looks.length >= 3 && looks.length <= 8, `looks after each stream: ${looks}`);
    assert.ok(looks.at(-2) > looks[0], `looks after each stream: ${looks}`);
  });

  for (const [what, fetch] of [
    ["a fetch without streams", async (...request) => withBody(await globalThis.fetch(...request), null)],
    ["a server without events", undefined],
  ]) {
    test(`polling alone with ${what}; it stops with the run`, async (t) => {
      const harness = await createHarness(t, { fetch });
      const { api, render } = harness;
      if (!fetch)
        api.intercept = ({ path }, response) => {
          if (!path.endsWith("/events")) return false;
          response.writeHead(200, { "content-type": "text/html" });
          response.end("<p>the application</p>");
          return true;
        };
      api.put("wfr_1");
      const { result } = render(follow);
      await until(() => api.count(LOOK) >= 5);
      assert.deepEqual([api.count(STREAM), result.current.connection], [1, "polling"]);
      api.put("wfr_1", { status: "completed", output: 3 });
      await until(() => result.current.isFinished);
      const looks = api.count(LOOK);
      await pass(harness);
      assert.deepEqual([api.count(LOOK), result.current.output], [looks, 3]);
    });
  }

  test("unmounting ends a stream, a look, and the pauses between them", async (t) => {
    const harness = await createHarness(t);
    const { api, render } = harness;
    api.intercept = (request, response) => withoutStreams(request, response) || request.path === "/runs/wfr_1";
    api.put("wfr_1");
    const { unmount } = render(follow);
    await until(() => api.count(LOOK) === 1);
    unmount();
    await until(() => api.asked(LOOK)[0].isCut);
    api.intercept = withoutStreams;
    const { unmount: leave } = render(follow);
    await until(() => api.count(LOOK) >= 3);
    leave();
    const { length } = api.requests;
    await pass(harness);
    assert.deepEqual(
      api.requests.slice(length).filter(({ path }) => path.includes("wfr_1")),
      [],
    );
  });

  test("an error that is final has a code and stops everything; refresh goes on", async (t) => {
    const harness = await createHarness(t);
    const { api, render } = harness;
    const { result } = render(follow);
    await until(() => result.current.error);
    const { name, code, status, retryable } = result.current.error;
    assert.deepEqual([name, code, status, retryable], ["WorkflowApiError", "NotFound", 404, false]);
    assert.deepEqual([result.current.connection, result.current.isLoading], ["closed", false]);
    const { length } = api.requests;
    await pass(harness);
    assert.deepEqual(
      api.requests.slice(length).filter(({ path }) => path.includes("wfr_1")),
      [],
    );
    api.put("wfr_1");
    await act(() => result.current.refresh());
    await until(() => result.current.connection === "live");
    assert.equal(result.current.error, undefined);
  });

  test("an error that passes is told and forgotten, and what was known stays", async (t) => {
    const { api, render } = await createHarness(t);
    api.put("wfr_1");
    const { result } = render(follow);
    await until(() => result.current.connection === "live");
    api.intercept = (_, response) => refuse(response, 503, "ProviderUnavailable");
    api.cutStreams();
    await until(() => result.current.error);
    assert.deepEqual([result.current.error.code, result.current.status], ["ProviderUnavailable", "running"]);
    api.intercept = () => false;
    await until(() => result.current.connection === "live");
    assert.equal(result.current.error, undefined);
  });

  test("in the background nothing is polled; who comes back sees the truth at once", async (t) => {
    const harness = await createHarness(t, { pollIntervalMs: 5, reconnectMs: 60_000 });
    const { api, render } = harness;
    api.intercept = withoutStreams;
    api.put("wfr_1");
    let visibility = "visible";
    Object.defineProperty(document, "visibilityState", { get: () => visibility, configurable: true });
    t.after(() => delete document.visibilityState);
    const { result } = render(follow);
    await until(() => api.count(LOOK) >= 2);
    visibility = "hidden";
    await pass(harness, 2);
    const looks = api.count(LOOK);
    await pass(harness, 20);
    assert.equal(api.count(LOOK), looks);
    api.put("wfr_1", { status: "completed" });
    visibility = "visible";
    document.dispatchEvent(new Event("visibilitychange"));
    await until(() => result.current.isFinished);
  });

  test("what a server component knows is shown; a run that has ended is never asked for", async (t) => {
    const harness = await createHarness(t);
    const { api, render } = harness;
    const ended = api.put("wfr_1", { status: "completed", output: 1 });
    const { result } = render(({ useWorkflowRun }) => useWorkflowRun("wfr_1", { initialRun: ended }));
    assert.deepEqual([result.current.output, result.current.connection], [1, "closed"]);
    await pass(harness, 2);
    assert.equal(api.count(STREAM), 0);
    const going = api.put("wfr_2");
    const second = render(({ useWorkflowRun }) => useWorkflowRun("wfr_2", { initialRun: going }));
    assert.equal(second.result.current.status, "running");
    api.put("wfr_2", { status: "failed" });
    await until(() => second.result.current.isFinished);
  });

  test("a run that was seen to end is remembered", async (t) => {
    const { api, render } = await createHarness(t);
    api.put("wfr_1", { status: "completed", output: 1 });
    const first = render(follow);
    await until(() => first.result.current.isFinished);
    first.unmount();
    await act(async () => {});
    const second = render(follow);
    assert.equal(second.result.current.output, 1);
    assert.equal(api.requests.length, 1);
  });

  test("cancel, and cancel on unmount, which strict mode does not take for one", async (t) => {
    const { api, render } = await createHarness(t);
    api.put("wfr_1");
    api.put("wfr_2");
    const { result } = render(follow);
    await until(() => result.current.run);
    assert.equal(await act(() => result.current.cancel()), true);
    await until(() => result.current.status === "cancelled");
    assert.equal(await act(() => result.current.cancel()), false);
    const second = render(({ useWorkflowRun }) => useWorkflowRun("wfr_2", { cancelOnUnmount: true }));
    await until(() => second.result.current.run);
    assert.equal(api.count("POST /runs/wfr_2/cancel"), 0);
    second.unmount();
    await until(() => api.runs.get("wfr_2").status === "cancelled");
  });

  test("the provider that keeps the run is asked", async (t) => {
    const { api, render } = await createHarness(t);
    api.intercept = withoutStreams;
    api.put("wfr_1");
    const use = ({ useWorkflowRun }) => useWorkflowRun("wfr_1", { provider: "second" });
    const { result } = render(use);
    await until(() => result.current.run);
    await act(() => result.current.cancel());
    assert.deepEqual(
      api.requests.filter(({ provider }) => provider !== "second"),
      [],
    );
    assert.ok(api.requests.length >= 3);
  });

  test("headers travel with streams, too, and are asked for each time", async (t) => {
    const tokens = ["1", "2", "3"];
    const { api, render } = await createHarness(t, {
      headers: async () => ({ authorization: `Bearer ${tokens.shift()}` }),
    });
    api.intercept = withoutStreams;
    api.put("wfr_1");
    render(follow);
    await until(() => api.requests.length >= 3);
    assert.deepEqual(
      api.requests.slice(0, 3).map(({ headers }) => headers.authorization),
      ["Bearer 1", "Bearer 2", "Bearer 3"],
    );
  });
});

function withBody(response, body) {
  if (response.headers.get("content-type")?.startsWith("text/event-stream"))
    Object.defineProperty(response, "body", { value: body });
  return response;
}
