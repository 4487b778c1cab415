/** A page that a server has rendered goes on in the browser as it was. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { createElement, StrictMode } from "react";
import { renderToString } from "react-dom/server";

import { createHarness, hooks, render, until } from "./harness.mjs";

test("hydration shows what the server has shown, then what the API tells; nothing is asked twice", async (t) => {
  const { api, begun, client } = await createHarness(t);
  const complaints = t.mock.method(console, "error", () => {});
  const known = api.put("wfr_1", { status: "pending" });
  api.put("wfr_2");
  const Page = () => {
    const { status } = hooks.useWorkflowRun("wfr_1", { initialRun: known });
    const other = hooks.useWorkflowRun("wfr_2");
    const { schedules, isLoading } = hooks.useWorkflowSchedule();
    return createElement("p", null, `${status} ${other.isLoading} ${isLoading} ${schedules.length}`);
  };
  const provided = createElement(hooks.WorkflowProvider, { client }, createElement(Page));
  const page = createElement(StrictMode, null, provided);
  const container = document.createElement("div");
  container.innerHTML = renderToString(page);
  assert.equal(container.textContent, "pending true true 0");
  assert.deepEqual(begun, []);

  api.put("wfr_1", { status: "running" });
  render(page, { container, hydrate: true });
  await until(() => container.textContent === "running false false 0");
  assert.deepEqual(begun.toSorted(), [
    "GET /runs/wfr_1/events?provider=embedded",
    "GET /runs/wfr_2/events",
    "GET /schedules",
  ]);
  assert.deepEqual(
    complaints.mock.calls.map((call) => call.arguments[0]),
    [],
  );
});
