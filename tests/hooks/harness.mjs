/** Renders hooks against the API of `api.mjs`. */
import "./dom.mjs";

import { createElement } from "react";
import { SWRConfig } from "swr";

import { startApi } from "./api.mjs";

const { act, cleanup, configure, render, renderHook } = await import("@testing-library/react");
const hooks = await import("@repo/orchestration/client/next");

configure({ asyncUtilTimeout: 10_000 });

export { act, cleanup, hooks, render, renderHook };

/** A server, and how hooks are rendered against it; ends with the test. */
export async function createHarness(t, options = {}) {
  const api = await startApi();
  t.after(async () => {
    cleanup();
    await api.close();
  });
  /** Requests that were begun, also those that were given up before they reached the server. */
  const begun = [];
  const client = hooks.createWorkflowClient({
    ...{ baseUrl: api.baseUrl, pollIntervalMs: 10, reconnectMs: 4 },
    fetch(url, init) {
      begun.push(`${init.method} ${url.slice(api.baseUrl.length)}`);
      return globalThis.fetch(url, init);
    },
    ...options,
  });
  const wrapper = ({ children }) =>
    createElement(
      SWRConfig,
      { value: { errorRetryInterval: 1 } },
      createElement(hooks.WorkflowProvider, { client }, children),
    );
  return {
    api,
    client,
    begun,
    /** In strict mode, unless told otherwise. */
    render: (use, { reactStrictMode = true, ...rest } = {}) =>
      renderHook((props) => use(hooks, props), { wrapper, reactStrictMode, ...rest }),
  };
}

/** Waits for what must come, within ten seconds, while React works. */
export async function until(condition, what = condition.toString()) {
  const end = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`never came: ${what}`);
    await act(() => new Promise((resolve) => setTimeout(resolve, 2)));
  }
}

/** Time as polling counts it: `times` intervals of another run's polling, so that a request that is due would have come. */
export async function pass(harness, times = 10) {
  const { api, client } = harness;
  api.put("wfr_clock");
  for (let tick = 0; tick < times; tick += 1) {
    await act(async () => {
      await new Promise((resolve) => setTimeout(resolve, client.pollIntervalMs));
      await client.getRun("wfr_clock");
    });
  }
}
