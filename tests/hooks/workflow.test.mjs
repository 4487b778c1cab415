/** `useWorkflow`: starting a run and following it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { refuse } from "./api.mjs";
import { act, createHarness, pass, until } from "./harness.mjs";

const START = "POST /workflows/order/runs";
const order = ({ useWorkflow }) => useWorkflow("order");
const started = { workflowRunId: "wfr_1", workflowId: "order", provider: "embedded" };

describe("starting a run", () => {
  test("start, follow, output; nothing is asked before", async (t) => {
    const harness = await createHarness(t);
    const { api, render } = harness;
    const { result } = render(order);
    await pass(harness, 2);
    assert.equal(api.count(START), 0);
    assert.deepEqual(
      [result.current.runId, result.current.status, result.current.isStarting],
      [undefined, undefined, false],
    );
    let promise;
    act(() => {
      promise = result.current.start({ orderId: 7 }, { label: "blue", delay: "1d", workflowRunId: "wfr_1" });
    });
    assert.equal(result.current.isStarting, true);
    assert.deepEqual(await act(() => promise), started);
    assert.deepEqual([result.current.runId, result.current.status], ["wfr_1", "pending"]);
    assert.deepEqual(api.asked(START)[0].body, {
      ...{ input: { orderId: 7 }, label: "blue", delay: "1d", workflowRunId: "wfr_1" },
    });
    await until(() => api.streams.size === 1);
    api.put("wfr_1", { status: "completed", output: "shipped" });
    await until(() => result.current.isFinished);
    assert.deepEqual([result.current.output, result.current.isStarting], ["shipped", false]);
    assert.deepEqual([api.count(START), api.count("GET /runs/wfr_1/events")], [1, 1]);
    // The provider that has taken it is the one that knows it.
    assert.equal(api.asked("GET /runs/wfr_1/events")[0].provider, "embedded");
  });

  test("a run that the provider's logs don't know yet is pending, not missing", async (t) => {
    const { api, render } = await createHarness(t);
    const { result } = render(order);
    api.intercept = ({ path }, response) => path.startsWith("/runs/wfr_1") && refuse(response, 404, "NotFound");
    await act(() => result.current.start());
    await until(() => api.count("GET /runs/wfr_1") >= 3);
    assert.deepEqual([result.current.status, result.current.error], ["pending", undefined]);
    api.intercept = () => false;
    api.put("wfr_1", { status: "running" });
    await until(() => result.current.status === "running");
  });

  test("the run that was started last is followed; reset follows none", async (t) => {
    const { api, render } = await createHarness(t);
    const { result } = render(order);
    const held = [];
    api.intercept = ({ path }, response) => path.endsWith("/order/runs") && held.push(response) > 0;
    const promises = [];
    act(() => void promises.push(result.current.start(1), result.current.start(2)));
    await until(() => held.length === 2);
    api.put("wfr_a");
    api.put("wfr_b");
    const answer = (response, workflowRunId) =>
      response.writeHead(202).end(JSON.stringify({ ...started, workflowRunId }));
    const [first, second] = api.asked(START)[0].body.input === 1 ? held : held.toReversed();
    answer(second, "wfr_b");
    await act(() => promises[1]);
    answer(first, "wfr_a");
    await act(() => promises[0]);
    assert.equal(result.current.runId, "wfr_b");
    act(() => result.current.reset());
    assert.deepEqual([result.current.runId, result.current.run], [undefined, undefined]);
    await until(() => api.streams.size === 0);
  });

  test("another workflow: its runs are others", async (t) => {
    const { render } = await createHarness(t);
    const { result, rerender } = render(({ useWorkflow }, id = "order") => useWorkflow(id));
    await act(() => result.current.start());
    assert.equal(result.current.runId, "wfr_1");
    rerender("refund");
    assert.deepEqual([result.current.runId, result.current.run], [undefined, undefined]);
  });

  test("a start that fails throws the API's code, and the hook tells it", async (t) => {
    const { api, render } = await createHarness(t);
    const { result } = render(order);
    api.intercept = (_, response) => refuse(response, 400, "ValidationFailed");
    await act(() =>
      assert.rejects(result.current.start({}), { name: "WorkflowApiError", code: "ValidationFailed", status: 400 }),
    );
    assert.deepEqual([result.current.error.code, result.current.isStarting], ["ValidationFailed", false]);
    api.intercept = () => false;
    await act(() => result.current.start({}));
    assert.equal(result.current.error, undefined);
  });

  test("unmounting gives up a start under way, without another rendering", async (t) => {
    const { api, render } = await createHarness(t);
    api.intercept = () => true;
    const { result, unmount } = render(order);
    let outcome;
    act(() => {
      outcome = assert.rejects(result.current.start(), { code: "Aborted" });
    });
    await until(() => api.count(START) === 1);
    unmount();
    await outcome;
    await until(() => api.asked(START)[0].isCut);
  });

  test("cancelOnUnmount cancels the run, also one that is just being started", async (t) => {
    const { api, render } = await createHarness(t);
    const use = ({ useWorkflow }) => useWorkflow("order", { cancelOnUnmount: true });
    const one = render(use);
    await act(() => one.result.current.start());
    one.unmount();
    await until(() => api.runs.get("wfr_1").status === "cancelled");
    const two = render(use);
    let promise;
    act(() => {
      promise = two.result.current.start();
    });
    two.unmount();
    await promise;
    await until(() => api.runs.get("wfr_2").status === "cancelled");
  });

  test("without it a run goes on", async (t) => {
    const harness = await createHarness(t);
    const { api, render } = harness;
    const { result, unmount } = render(order);
    await act(() => result.current.start());
    unmount();
    await pass(harness, 3);
    assert.equal(api.runs.get("wfr_1").status, "pending");
    assert.equal(api.count("POST /runs/wfr_1/cancel"), 0);
  });
});
