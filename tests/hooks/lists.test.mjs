/** `useWorkflowList`, `useWorkflowSchedule`, `useWorkflowMetrics`: one request for all who ask, and none for nobody. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { refuse, reply } from "./api.mjs";
import { act, createHarness, pass, until } from "./harness.mjs";

const SCHEDULES = "GET /schedules";
const schedules = ({ useWorkflowSchedule }) => useWorkflowSchedule("order");
const ids = ({ current }) => current.runs.map(({ workflowRunId }) => workflowRunId).join(" ");

describe("runs", () => {
  const list = ({ useWorkflowList }, filter = { workflowId: "order", count: 2 }) => useWorkflowList(filter);

  test("pages, one request each, also in strict mode", async (t) => {
    const { api, begun, render } = await createHarness(t);
    for (const number of [1, 2, 3, 4, 5]) api.put(`wfr_${number}`);
    const { result } = render(list);
    assert.deepEqual([result.current.isLoading, result.current.runs], [true, []]);
    await until(() => result.current.runs.length === 2);
    assert.deepEqual([ids(result), result.current.hasMore, result.current.isLoading], ["wfr_5 wfr_4", true, false]);
    act(() => result.current.loadMore());
    assert.equal(result.current.isLoadingMore, true);
    act(() => result.current.loadMore());
    await until(() => !result.current.isLoadingMore);
    assert.equal(ids(result), "wfr_5 wfr_4 wfr_3 wfr_2");
    act(() => result.current.loadMore());
    await until(() => ids(result) === "wfr_5 wfr_4 wfr_3 wfr_2 wfr_1");
    assert.equal(result.current.hasMore, false);
    act(() => result.current.loadMore());
    assert.equal(result.current.pages.length, 3);
    assert.deepEqual(begun, [
      "GET /runs?workflowId=order&count=2",
      "GET /runs?workflowId=order&count=2&cursor=2",
      "GET /runs?workflowId=order&count=2&cursor=4",
    ]);
  });

  test("refresh asks for all pages again; a run that moved to the next page is there once", async (t) => {
    const { api, render } = await createHarness(t);
    for (const number of [1, 2, 3]) api.put(`wfr_${number}`);
    const { result } = render(list);
    await until(() => result.current.runs.length === 2);
    api.put("wfr_4");
    act(() => result.current.loadMore());
    await until(() => ids(result) === "wfr_3 wfr_2 wfr_1");
    await act(() => result.current.refresh());
    assert.equal(ids(result), "wfr_4 wfr_3 wfr_2 wfr_1");
  });

  test("another filter begins anew", async (t) => {
    const { api, render } = await createHarness(t);
    for (const number of [1, 2, 3]) api.put(`wfr_${number}`);
    api.put("wfr_4", { status: "failed", labels: ["blue"] });
    const { result, rerender } = render(list);
    await until(() => result.current.runs.length === 2);
    act(() => result.current.loadMore());
    await until(() => result.current.pages.length === 2);
    rerender({ status: "failed", label: "blue" });
    await until(() => ids(result) === "wfr_4");
    assert.deepEqual([api.requests.at(-1).path, result.current.pages.length], ["/runs?status=failed&label=blue", 1]);
  });

  test("an error has a code; one that is final is not tried again, one that passes is", async (t) => {
    const harness = await createHarness(t);
    const { api, render } = harness;
    api.intercept = (_, response) => refuse(response, 403, "Forbidden");
    const { result } = render(list);
    await until(() => result.current.error);
    assert.deepEqual([result.current.error.code, result.current.error.status], ["Forbidden", 403]);
    api.intercept = () => false;
    await pass(harness, 5);
    assert.equal(api.count("GET /runs?workflowId=order&count=2"), 1);
    api.intercept = (_, response) => refuse(response, 503, "ProviderUnavailable");
    const second = render(({ useWorkflowList }) => useWorkflowList());
    await until(() => second.result.current.error);
    api.intercept = () => false;
    await until(() => second.result.current.runs.length === 1 && !second.result.current.error);
  });

  test("unmounting ends the request under way and leaves no error behind", async (t) => {
    const { api, render } = await createHarness(t);
    api.put("wfr_1");
    api.intercept = () => true;
    const { unmount } = render(list);
    await until(() => api.requests.length === 1);
    unmount();
    await until(() => api.requests[0].isCut);
    api.intercept = () => false;
    const { result } = render(list);
    assert.deepEqual([result.current.error, result.current.isLoading], [undefined, true]);
    await until(() => ids(result) === "wfr_1");
    assert.equal(api.requests.length, 2);
  });

  test("a request that another component waits for goes on", async (t) => {
    const { api, render } = await createHarness(t);
    api.put("wfr_1");
    let held;
    api.intercept = (_, response) => {
      held = response;
      return true;
    };
    const [one, two] = [render(list), render(list)];
    await until(() => held);
    one.unmount();
    await act(async () => {});
    reply(held, 200, { runs: [...api.runs.values()] });
    await until(() => ids(two.result) === "wfr_1");
    assert.equal(api.requests.length, 1);
  });
});

describe("schedules", () => {
  test("list, create, pause, resume, remove", async (t) => {
    const { api, render } = await createHarness(t);
    api.schedules = [{ scheduleId: "scd_other", workflowId: "refund", cron: "* * * * *", isPaused: false }];
    const { result } = render(schedules);
    await until(() => !result.current.isLoading);
    assert.deepEqual([result.current.schedules, api.count(SCHEDULES)], [[], 1]);
    const id = await act(() => result.current.create({ cron: "0 8 * * 1", input: { orderId: 1 } }));
    assert.equal(id, "scd_2");
    assert.deepEqual(api.asked("POST /schedules")[0].body, {
      ...{ workflowId: "order", cron: "0 8 * * 1", input: { orderId: 1 } },
    });
    assert.equal(result.current.schedules[0].scheduleId, id);
    await act(() => result.current.pause(id));
    assert.equal(result.current.schedules[0].isPaused, true);
    await act(() => result.current.resume(id));
    assert.equal(result.current.schedules[0].isPaused, false);
    await act(() => result.current.remove(id));
    assert.deepEqual(result.current.schedules, []);
    assert.deepEqual(
      api.schedules.map(({ scheduleId }) => scheduleId),
      ["scd_other"],
    );
  });

  test("a change is shown at once, and taken back if it fails", async (t) => {
    const { api, render } = await createHarness(t);
    api.schedules = [{ scheduleId: "scd_1", workflowId: "order", cron: "* * * * *", isPaused: false }];
    const { result } = render(schedules);
    await until(() => result.current.schedules.length === 1);
    let held;
    api.intercept = ({ path }, response) => {
      if (!path.endsWith("/pause")) return false;
      held = response;
      return true;
    };
    let outcome;
    act(() => {
      outcome = assert.rejects(result.current.pause("scd_1"), { code: "Forbidden" });
    });
    await until(() => held && result.current.schedules[0].isPaused);
    refuse(held, 403, "Forbidden");
    await act(() => outcome);
    await until(() => !result.current.schedules[0].isPaused);
    assert.equal(result.current.error, undefined);
  });

  test("those of all workflows: one request for both components", async (t) => {
    const { api, begun, render } = await createHarness(t);
    api.schedules = [{ scheduleId: "scd_1", workflowId: "order", cron: "* * * * *", isPaused: false }];
    const all = render(({ useWorkflowSchedule }) => useWorkflowSchedule());
    const one = render(({ useWorkflowSchedule }) => useWorkflowSchedule("refund"));
    await until(() => all.result.current.schedules.length === 1 && !one.result.current.isLoading);
    assert.deepEqual(begun, [SCHEDULES]);
    await act(() => all.result.current.create({ workflowId: "refund", cron: "1 * * * *" }));
    await until(() => one.result.current.schedules.length === 1);
  });

  test("unmounting ends the request under way", async (t) => {
    const { api, render } = await createHarness(t);
    api.intercept = () => true;
    const { unmount } = render(schedules);
    await until(() => api.requests.length === 1);
    unmount();
    await until(() => api.requests[0].isCut);
  });
});

describe("metrics", () => {
  test("are asked for again and again, until the component goes", async (t) => {
    const harness = await createHarness(t);
    const { api, render } = harness;
    const { result, unmount } = render(({ useWorkflowMetrics }) => useWorkflowMetrics({ refreshIntervalMs: 5 }));
    assert.equal(result.current.isLoading, true);
    await until(() => result.current.metrics);
    api.put("wfr_1");
    await until(() => result.current.metrics.workflows[0].started === 1);
    await until(() => api.count("GET /metrics") >= 10);
    unmount();
    await act(async () => {});
    const asked = api.count("GET /metrics");
    await pass(harness, 5);
    assert.equal(api.count("GET /metrics"), asked);
  });

  test("once, if there is no interval; refresh asks again", async (t) => {
    const harness = await createHarness(t);
    const { api, render } = harness;
    const { result } = render(({ useWorkflowMetrics }) => useWorkflowMetrics({ refreshIntervalMs: 0 }));
    await until(() => result.current.metrics);
    await pass(harness, 5);
    assert.equal(api.count("GET /metrics"), 1);
    await act(() => result.current.refresh());
    assert.equal(api.count("GET /metrics"), 2);
  });
});

describe("clients", () => {
  test("two clients share nothing: they may act for different people", async (t) => {
    const { createElement } = await import("react");
    const { renderHook } = await import("@testing-library/react");
    const hooks = await import("@repo/orchestration/client/next");
    const { api } = await createHarness(t);
    const as = (name) => ({
      wrapper: ({ children }) =>
        createElement(hooks.WorkflowProvider, { baseUrl: api.baseUrl, headers: { "x-user": name } }, children),
    });
    api.intercept = ({ headers }, response) =>
      reply(response, 200, { runs: [{ workflowRunId: `wfr_${headers["x-user"]}` }] });
    const [ann, bob] = ["ann", "bob"].map((name) => renderHook(() => hooks.useWorkflowList(), as(name)));
    await until(() => ann.result.current.runs.length + bob.result.current.runs.length === 2);
    assert.deepEqual([ids(ann.result), ids(bob.result)], ["wfr_ann", "wfr_bob"]);
  });
});
