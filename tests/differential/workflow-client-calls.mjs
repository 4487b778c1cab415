/**
 * Every call of the official workflow client: the same call on both packages.
 *
 * @typedef {object} Call
 * @property {(client: any) => unknown} call
 * @property {unknown} [answer]  what the broker answers
 */

const URL = "https://app.test/flow?a=b";
const FLOW_CONTROL = { key: "shop", parallelism: 1, rate: 2, period: "3m" };
const COMMON = {
  label: ["nightly", "eu"],
  callerIp: "1.2.3.4",
  flowControlKey: ["k1", "k2"],
  fromDate: new Date(1_700_000_000_000),
  toDate: 1_800_000_000_000,
};
const PLACE = { host: "app.test", path: ["/flow", "/x y"] };
const RUN = { workflowUrl: URL, workflowRunId: "wfr_a", workflowCreatedAt: 1_700_000_000_000 };

const trigger = (options) => ({ call: (client) => client.trigger(options()) });

/** @type {Record<string, Call>} */
const TRIGGER = {
  "trigger: nothing but a URL": trigger(() => ({ url: URL })),
  "trigger: payload": trigger(() => ({ url: URL, body: { a: "é" } })),
  "trigger: text": trigger(() => ({ url: URL, body: "text" })),
  "trigger: null": trigger(() => ({ url: URL, body: null })),
  "trigger: number": trigger(() => ({ url: URL, body: 0 })),
  "trigger: id": trigger(() => ({ url: URL, workflowRunId: "own" })),
  "trigger: every option": trigger(() => ({
    url: URL,
    body: [1],
    headers: { "X-User": "u", "content-type": "text/csv" },
    workflowRunId: "own",
    retries: 5,
    retryDelay: "1000",
    delay: 10,
    notBefore: 1800000000,
    label: ["nightly", "eu"],
    flowControl: FLOW_CONTROL,
    failureUrl: "https://app.test/failed",
    redact: { body: true, header: ["Authorization", "X-User"] },
    disableTelemetry: true,
  })),
  "trigger: all headers redacted": trigger(() => ({ url: URL, redact: { header: true } })),
  "trigger: the body redacted": trigger(() => ({ url: URL, redact: { body: true } })),
  "trigger: delay as a text": trigger(() => ({ url: URL, delay: "1d10h" })),
  "trigger: one label": trigger(() => ({ url: URL, label: "nightly" })),
  "trigger: no retries": trigger(() => ({ url: URL, retries: 0 })),
  "trigger: the broker's own number of retries": trigger(() => ({ url: URL, retries: 3 })),
  "trigger: flow control without a period": trigger(() => ({ url: URL, flowControl: { key: "k", parallelism: 2 } })),
  "trigger: period in seconds": trigger(() => ({ url: URL, flowControl: { key: "k", rate: 2, period: 60 } })),
  "trigger: several": trigger(() => [
    { url: URL, body: 1 },
    { url: "https://app.test/other", label: "one", workflowRunId: "own" },
  ]),
  "trigger: an array of one": trigger(() => [{ url: URL }]),
  "trigger: a run that goes on already": {
    call: (client) => client.trigger({ url: URL, workflowRunId: "own" }),
    answer: [{ messageId: "msg_1", deduplicated: true }],
  },
};

const cancel = (request) => ({ call: (client) => client.cancel(request), answer: { cancelled: 2 } });

/** @type {Record<string, Call>} */
const CANCEL = {
  "cancel: one": cancel("wfr_a"),
  "cancel: several": cancel(["wfr_a", "wfr_b"]),
  "cancel: none": cancel([]),
  "cancel: by option": cancel({ workflowRunIds: ["wfr_a", "wfr_b"] }),
  "cancel: by the former name": cancel({ ids: ["wfr_a", "wfr_b"] }),
  "cancel: one by the former name": cancel({ ids: "wfr_a" }),
  "cancel: none by the former name": cancel({ ids: [] }),
  "cancel: by the former name of a URL's beginning": cancel({ urlStartingWith: "https://app.test/" }),
  "cancel: all": cancel({ all: true }),
  "cancel: all, a few": cancel({ all: true, count: 7 }),
  "cancel: by URL": cancel({ filter: { workflowUrl: URL } }),
  "cancel: by URLs": cancel({ filter: { workflowUrl: [URL, "https://b.test/é"] }, count: 5 }),
  "cancel: by the beginning of URLs": cancel({ filter: { workflowUrlStartingWith: ["https://a.test", "https://b"] } }),
  "cancel: by everything": cancel({ filter: { ...COMMON, ...PLACE, workflowUrl: URL } }),
  "cancel: by label": cancel({ filter: { label: "nightly" } }),
};

const WAITER = { url: URL, deadline: 5, headers: {}, timeoutUrl: URL, timeoutBody: null, timeoutHeaders: {} };
const NOTIFIED = [{ waiter: WAITER, messageId: "msg_1", error: "" }];
const notify = (event) => ({ call: (client) => client.notify(event), answer: NOTIFIED });

/** @type {Record<string, Call>} */
const EVENTS = {
  "notify: without data": notify({ eventId: "paid" }),
  "notify: text": notify({ eventId: "paid", eventData: "é" }),
  "notify: an empty text": notify({ eventId: "paid", eventData: "" }),
  "notify: object": notify({ eventId: "paid", eventData: { a: [1, "é"] } }),
  "notify: null": notify({ eventId: "paid", eventData: null }),
  "notify: with lookback": notify({ eventId: "paid", eventData: 5, workflowRunId: "wfr_a" }),
  "notify: an id with a slash and a blank": notify({ eventId: "order/1 a" }),
  "notify: nobody waits": { call: (client) => client.notify({ eventId: "paid" }), answer: [] },
  waiters: { call: (client) => client.getWaiters({ eventId: "paid" }), answer: [WAITER] },
  "waiters: none": { call: (client) => client.getWaiters({ eventId: "order/1" }), answer: [] },
};

const RUNS = { cursor: "c/1+=", runs: [{ workflowRunId: "wfr_a", workflowState: "RUN_STARTED", steps: [] }] };
const logs = (...request) => ({ call: (client) => client.logs(...request), answer: RUNS });

/** @type {Record<string, Call>} */
const LOGS = {
  logs: logs(),
  "logs: nothing special": logs({}),
  "logs: a page": logs({ cursor: "c/1+=", count: 3 }),
  "logs: by everything": logs({
    filter: { ...COMMON, ...PLACE, ...RUN, state: "RUN_FAILED", messageId: "msg_1" },
    count: 1,
  }),
  "logs: by the former names": logs({
    workflowRunId: "wfr_a",
    state: "RUN_SUCCESS",
    workflowUrl: URL,
    workflowCreatedAt: 5,
    label: "nightly",
    count: 2,
  }),
  "logs: by a former name and a filter": logs({ state: "RUN_SUCCESS", filter: { label: "nightly" } }),
  "logs: the last page": { call: (client) => client.logs(), answer: { runs: [] } },
};

const DEAD = {
  dlqId: "1-0",
  workflowRunId: "wfr_a",
  responseStatus: 500,
  failureCallbackInfo: { state: "CALLBACK_FAIL" },
};
const dlq =
  (method, answer) =>
  (...request) => ({ call: (client) => client.dlq[method](...request), answer });
const list = dlq("list", { messages: [DEAD], cursor: "c" });
const revived = { cursor: "c", workflowRuns: [{ workflowRunId: "wfr_b", workflowCreatedAt: "5" }] };
const remove = dlq("delete", { deleted: 2, cursor: "" });

const revivals = (method) => {
  const revive = dlq(method, revived);
  return {
    [`dlq ${method}: one`]: revive("1-0"),
    [`dlq ${method}: several`]: revive(["1-0", "2-0"]),
    [`dlq ${method}: none`]: revive([]),
    [`dlq ${method}: one by option`]: revive({ dlqIds: "1-0" }),
    [`dlq ${method}: several by option`]: revive({ dlqIds: ["1-0", "2-0"] }),
    [`dlq ${method}: with settings`]: revive("1-0", { flowControl: FLOW_CONTROL, retries: 0 }),
    [`dlq ${method}: by filter`]: revive({ filter: { ...COMMON, ...RUN, failureFunctionState: "CALLBACK_FAIL" } }),
    [`dlq ${method}: by filter, a page`]: revive({ filter: { label: "a" }, count: 3, cursor: "c" }, { retries: 2 }),
    [`dlq ${method}: all`]: revive({ all: true }),
    [`dlq ${method}: all, a page`]: revive({ all: true, count: 3, cursor: "c" }, { flowControl: FLOW_CONTROL }),
    [`dlq ${method}: one by the former name`]: revive({ dlqId: "1-0", retries: 4, flowControl: { key: "k", rate: 1 } }),
    [`dlq ${method}: several by the former name`]: revive({ dlqId: ["1-0", "2-0"] }),
    [`dlq ${method}: the last page`]: dlq(method, { ...revived, cursor: "" })({ all: true }),
  };
};

/** @type {Record<string, Call>} */
const DEAD_LETTERS = {
  "dlq list": list(),
  "dlq list: nothing special": list({}),
  "dlq list: a page": list({ cursor: "c/1+=", count: 5 }),
  "dlq list: by everything": list({
    filter: { ...COMMON, ...RUN, failureFunctionState: "CALLBACK_FAIL", url: URL, responseStatus: 500 },
  }),
  "dlq list: the last page": dlq("list", { messages: [], cursor: "" })(),
  ...revivals("resume"),
  ...revivals("restart"),
  "dlq retryFailureFunction": dlq("retryFailureFunction", { workflowRunId: "wfr_a", workflowCreatedAt: 5 })({
    dlqId: "1-0",
  }),
  "dlq delete: one": remove("1-0"),
  "dlq delete: several": remove(["1-0", "2-0"]),
  "dlq delete: none": remove([]),
  "dlq delete: by option": remove({ dlqIds: ["1-0"] }),
  "dlq delete: by filter": remove({ filter: { workflowUrl: [URL, "https://b.test"] }, count: 5, cursor: "c" }),
  "dlq delete: all": remove({ all: true }),
};

export const WORKFLOW_CALLS = { ...TRIGGER, ...CANCEL, ...EVENTS, ...LOGS, ...DEAD_LETTERS };

/** What both refuse before anything is sent. @type {Record<string, (client: any) => unknown>} */
export const REFUSED_BY_BOTH = {
  "trigger: a label that is none": (client) => client.trigger({ url: URL, label: "a b" }),
  "trigger: no label in the array": (client) => client.trigger({ url: URL, label: [] }),
  "trigger: one label that is none": (client) => client.trigger({ url: URL, label: ["a", "é"] }),
  "trigger: a flow-control key that is none": (client) =>
    client.trigger({ url: URL, flowControl: { key: "a:b", rate: 1 } }),
  "trigger: flow control without a limit": (client) => client.trigger({ url: URL, flowControl: { key: "a" } }),
  "cancel: an empty id": (client) => client.cancel(""),
  "cancel: an empty id among others": (client) => client.cancel(["wfr_a", ""]),
  "cancel: nothing said": (client) => client.cancel({}),
  "cancel: no ids by option": (client) => client.cancel({ workflowRunIds: [] }),
  "cancel: a filter without a value": (client) => client.cancel({ filter: { label: [] } }),
  "cancel: a URL and the beginning of one": (client) =>
    client.cancel({ filter: { workflowUrl: URL, workflowUrlStartingWith: URL } }),
  "notify: an empty id": (client) => client.notify({ eventId: "" }),
  "notify: an empty run id": (client) => client.notify({ eventId: "paid", workflowRunId: "" }),
  "waiters: an empty id": (client) => client.getWaiters({ eventId: "" }),
  "dlq resume: an empty id": (client) => client.dlq.resume(""),
  "dlq resume: an empty id among others": (client) => client.dlq.resume(["1-0", ""]),
  "dlq resume: no ids by option": (client) => client.dlq.resume({ dlqIds: [] }),
  "dlq resume: nothing said": (client) => client.dlq.resume({}),
  "dlq resume: flow control without a limit": (client) => client.dlq.resume("1-0", { flowControl: { key: "k" } }),
  "dlq restart: a filter without a value": (client) => client.dlq.restart({ filter: { label: [] } }),
  "dlq restart: an empty id": (client) => client.dlq.restart([""]),
  "dlq delete: an empty id": (client) => client.dlq.delete(""),
  "dlq delete: no ids by option": (client) => client.dlq.delete({ dlqIds: [] }),
  "dlq delete: nothing said": (client) => client.dlq.delete({}),
  "dlq retryFailureFunction: an empty id": (client) => client.dlq.retryFailureFunction({ dlqId: "" }),
};

/** What only ours refuses: the official client sends something that means something else. */
export const REFUSED_BY_OURS = {
  "cancel: an empty filter would cancel everything": (client) => client.cancel({ filter: {} }),
  "cancel: a misspelt filter would cancel too much": (client) => client.cancel({ filter: { labels: "a" } }),
  "cancel: `all: false` would cancel everything": (client) => client.cancel({ all: false }),
  "cancel: two selections": (client) => client.cancel({ all: true, filter: { label: "a" } }),
  "cancel: an empty value": (client) => client.cancel({ filter: { label: "" } }),
  "dlq delete: an empty filter would delete everything": (client) => client.dlq.delete({ filter: {} }),
  "dlq resume: an empty id by the former name": (client) => client.dlq.resume({ dlqId: "" }),
  "dlq resume: no ids by the former name": (client) => client.dlq.resume({ dlqId: [] }),
  "dlq restart: a filter that the list does not know": (client) => client.dlq.restart({ filter: { host: "a.test" } }),
  "logs: a misspelt filter": (client) => client.logs({ filter: { stat: "RUN_FAILED" } }),
  "trigger: a misspelt option": (client) => client.trigger({ url: URL, dely: 5 }),
  "trigger: a URL that is none": (client) => client.trigger({ url: "app.test/flow" }),
  "trigger: no URL": (client) => client.trigger({}),
  "trigger: retries that are no number": (client) => client.trigger({ url: URL, retries: "3" }),
  "trigger: a delay that is no number": (client) => client.trigger({ url: URL, delay: Number.NaN }),
  "notify: an id that would leave its place": (client) => client.notify({ eventId: "../keys/rotate" }),
  "notify: an id that would lose its end": (client) => client.notify({ eventId: "a?b" }),
  "notify: a run id that would leave its place": (client) => client.notify({ eventId: "a", workflowRunId: "b/c" }),
  "waiters: an id that would leave its place": (client) => client.getWaiters({ eventId: "a/../b" }),
};
