/**
 * Every call of the official QStash client: the same call on both packages.
 *
 * @typedef {object} Call
 * @property {(client: any, qstash: any) => unknown} call  made anew for each package, because the official one changes what
 *   it is given; `qstash` is the package
 * @property {unknown} [answer]   what the broker answers
 */

const URL = "https://app.test/hook?a=b";

/** What a message can be told, except where it goes. */
const OPTIONS = {
  headers: { "X-User": "u", "Upstash-Own": "raw", authorization: "Bearer of the user" },
  method: "PUT",
  delay: 1.5,
  notBefore: 1800000000.5,
  retries: 0,
  retryDelay: "1000 * (1 + retried)",
  timeout: 30,
  callback: "https://app.test/callback",
  failureCallback: "https://app.test/failed",
  deduplicationId: "once",
  contentBasedDeduplication: true,
  label: ["nightly", "eu"],
  flowControl: { key: "shop", parallelism: 1, rate: 2, period: 3 },
  redact: { body: true, header: ["Authorization", "X-User"] },
};

/** Settings of callbacks travel as headers. */
const CALLBACK_HEADERS = {
  "Upstash-Callback-Retries": "5",
  "Upstash-Callback-Method": "PATCH",
  "Upstash-Callback-Forward-X-Token": "t",
  "Upstash-Failure-Callback-Retries": "1",
  "Upstash-Failure-Callback-Delay": "5s",
  "Upstash-Failure-Callback-Forward-X-Token": "f",
};

const STORED = {
  messageId: "msg_1",
  url: URL,
  topicName: "group",
  createdAt: 5,
  header: { "X-User": ["u"] },
  body: "é",
  rate: 3,
  labels: ["a", "b"],
};
const SCHEDULE = { scheduleId: "scd_1", cron: "* * * * *", destination: URL, createdAt: 1, rate: 4, isPaused: false };
/** The URL group comes last because the official SDK puts it there; the order of different parameters means nothing. */
const filter = (more = {}) => ({ ...FILTER, ...more, urlGroup: "group" });
const FILTER = {
  url: ["https://a.test/?x=1&y", "https://b.test"],
  label: "nightly",
  scheduleId: "scd_1",
  queueName: "orders",
  callerIp: "1.2.3.4",
  flowControlKey: ["k1", "k2"],
  fromDate: new Date(1_700_000_000_000),
  toDate: 1_800_000_000_000,
};
const PLACE = { host: "a.test", path: ["/x y", "/é"] };

const message = (method, request, answer = { messageId: "msg_1" }) => ({
  call: (client) => client[method](request()),
  answer,
});
const provided = (name, provider, more = {}) => ({
  call: (client, qstash) =>
    client.publishJSON({ api: { name, provider: provider(qstash) }, body: { a: 1 }, callback: URL, ...more }),
  answer: { messageId: "msg_1" },
});

/** @type {Record<string, Call>} */
const PUBLISH = {
  "publish: nothing but a URL": message("publish", () => ({ url: URL })),
  "publish: text": message("publish", () => ({ url: URL, body: "é" })),
  "publish: text of a type": message("publish", () => ({
    url: URL,
    body: "<a/>",
    headers: { "content-type": "application/xml" },
  })),
  "publish: bytes": message("publish", () => ({ url: URL, body: new Uint8Array([1, 2, 3]) })),
  "publish: a blob": message("publish", () => ({ url: URL, body: new Blob(["x"], { type: "a/b" }) })),
  "publish: a form": message("publish", () => ({ url: URL, body: new URLSearchParams({ a: "b c" }) })),
  "publish: URL group": message("publish", () => ({ urlGroup: "group", body: "x" }), [
    { messageId: "msg_1", url: URL },
    { messageId: "msg_2", url: URL, deduplicated: true },
  ]),
  "publish: topic": message("publish", () => ({ topic: "group" })),
  "publish: every option": message("publish", () => ({ ...OPTIONS, url: URL, body: "x" })),
  "publish: options as texts": message("publish", () => ({
    url: URL,
    delay: "1d10h",
    timeout: "90s",
    flowControl: { key: "k", rate: 1, period: "1m" },
    label: "one",
  })),
  "publish: former name of a rate": message("publish", () => ({
    url: URL,
    flowControl: { key: "k", ratePerSecond: 4 },
  })),
  "publish: all headers redacted": message("publish", () => ({ url: URL, redact: { header: true } })),
  "publish: nothing redacted": message("publish", () => ({ url: URL, redact: { header: [] } })),
  "publish: settings of callbacks": message("publish", () => ({
    url: URL,
    callback: URL,
    failureCallback: URL,
    headers: CALLBACK_HEADERS,
  })),
  "publish: headers as Headers": message("publish", () => ({ url: URL, headers: new Headers({ "X-User": "u" }) })),
  "publish: headers as pairs": message("publish", () => ({
    url: URL,
    headers: [
      ["X-User", "u"],
      ["X-User", "v"],
    ],
  })),
  "publish: headers as an iterator": message("publish", () => ({ url: URL, headers: new Map([["x", "y"]]).entries() })),
  "publish: options that are undefined": message("publish", () => ({
    url: URL,
    ...Object.fromEntries(Object.keys(OPTIONS).map((name) => [name, undefined])),
  })),
  "publish: timeout of a fraction": message("publish", () => ({ url: URL, timeout: 1.5 })),
  "publish: through a queue": message("publish", () => ({ url: URL, queueName: "orders" })),
  "publishJSON: object": message("publishJSON", () => ({ url: URL, body: { é: [1, null] } })),
  "publishJSON: text": message("publishJSON", () => ({ url: URL, body: "text" })),
  "publishJSON: nothing": message("publishJSON", () => ({ url: URL })),
  "publishJSON: every option": message("publishJSON", () => ({ ...OPTIONS, url: URL, body: {} })),
  "publishJSON: another type is overruled": message("publishJSON", () => ({
    url: URL,
    body: 1,
    headers: { "Content-Type": "text/plain" },
  })),
  "publishJSON: openai": provided("llm", ({ openai }) => openai({ token: "t" })),
  "publishJSON: openai of an organization": provided("llm", ({ openai }) => openai({ token: "t", organization: "o" })),
  "publishJSON: anthropic": provided("llm", ({ anthropic }) => anthropic({ token: "t" })),
  "publishJSON: custom": provided("llm", ({ custom }) => custom({ token: "t", baseUrl: "https://llm.test" })),
  "publishJSON: custom, with the route": provided("llm", ({ custom }) =>
    custom({ token: "t", baseUrl: "https://llm.test/v1/chat/completions" }),
  ),
  "publishJSON: custom, with a route of its own": provided("llm", ({ custom }) =>
    custom({ token: "t", baseUrl: "https://llm.test/x/chat/completions" }),
  ),
  "publishJSON: openai with options and headers": provided("llm", ({ openai }) => openai({ token: "t" }), OPTIONS),
  "publishJSON: openai through helicone": {
    call: (client, { openai }) =>
      client.publishJSON({
        api: { name: "llm", provider: openai({ token: "t" }), analytics: { name: "helicone", token: "h" } },
        body: {},
        callback: URL,
      }),
  },
  "publishJSON: resend": provided("email", ({ resend }) => resend({ token: "t" }), { callback: undefined }),
  "publishJSON: resend, a batch": provided("email", ({ resend }) => resend({ token: "t", batch: true })),
};

const batch = (method, requests, answer) => message(method, requests, answer ?? [{ messageId: "msg_1" }]);

/** @type {Record<string, Call>} */
const BATCH = {
  batch: batch("batch", () => [
    { url: URL, body: "one" },
    { ...OPTIONS, url: URL, body: "two" },
    { urlGroup: "group", queueName: "q" },
  ]),
  "batch: none": batch("batch", () => [], []),
  "batch: an answer that is no array": batch("batch", () => [{ url: URL }], { messageId: "msg_1" }),
  "batch: an answer with a URL group and an error": batch("batch", () => [{ urlGroup: "g" }, { url: URL }], [
    [{ messageId: "msg_1", url: URL }],
    { error: "no" },
  ]),
  batchJSON: batch("batchJSON", () => [
    { url: URL, body: { a: 1 } },
    { ...OPTIONS, url: URL, body: null },
    { url: URL },
    { url: URL, body: "text", headers: { "content-type": "text/plain" } },
  ]),
  "batchJSON: providers": {
    call: (client, { openai, resend }) =>
      client.batchJSON([
        { api: { name: "llm", provider: openai({ token: "t" }) }, body: { a: 1 }, callback: URL, queueName: "q" },
        { api: { name: "email", provider: resend({ token: "t" }) }, body: { a: 1 } },
      ]),
  },
  "batchJSON: a provider's header by the user too": {
    call: (client, { openai }) =>
      client.batchJSON([
        {
          api: { name: "llm", provider: openai({ token: "t" }) },
          body: {},
          callback: URL,
          headers: { authorization: "of the user" },
        },
      ]),
  },
};

/** @type {Record<string, Call>} */
const QUEUES = {
  "queue: upsert": { call: (client) => client.queue({ queueName: "orders" }).upsert({ parallelism: 3, paused: true }) },
  "queue: upsert, defaults": { call: (client) => client.queue({ queueName: "orders" }).upsert({}) },
  "queue: get": {
    call: (client) => client.queue({ queueName: "or-ders_1.2" }).get(),
    answer: { name: "orders", parallelism: 1, lag: 0, paused: false, createdAt: 1, updatedAt: 2 },
  },
  "queue: list": { call: (client) => client.queue().list(), answer: [{ name: "orders", parallelism: 1 }] },
  "queue: delete": { call: (client) => client.queue({ queueName: "orders" }).delete() },
  "queue: pause": { call: (client) => client.queue({ queueName: "orders" }).pause() },
  "queue: resume": { call: (client) => client.queue({ queueName: "orders" }).resume() },
  "queue: enqueue": {
    call: (client) => client.queue({ queueName: "orders" }).enqueue({ ...OPTIONS, url: URL, body: "x" }),
    answer: { messageId: "msg_1" },
  },
  "queue: enqueue to a URL group": {
    call: (client) => client.queue({ queueName: "orders" }).enqueue({ urlGroup: "group" }),
    answer: [{ messageId: "msg_1", url: URL }],
  },
  "queue: enqueueJSON": {
    call: (client) => client.queue({ queueName: "orders" }).enqueueJSON({ url: URL, body: { a: "é" } }),
    answer: { messageId: "msg_1" },
  },
  "queue: enqueueJSON to a provider": {
    call: (client, { openai }) =>
      client
        .queue({ queueName: "orders" })
        .enqueueJSON({ api: { name: "llm", provider: openai({ token: "t" }) }, body: {}, callback: URL }),
  },
  "queue: a name with a blank": { call: (client) => client.queue({ queueName: "a b" }).pause() },
  "queue: a name that would leave its place": { call: (client) => client.queue({ queueName: "a/../b?c#d%" }).pause() },
};

const GROUP = { name: "group", endpoints: [{ url: URL, name: "a" }], createdAt: 1, updatedAt: 2 };
const bothNames = (title, call, answer) => ({
  [`urlGroups: ${title}`]: { call: (client) => call(client.urlGroups), answer },
  [`topics: ${title}`]: { call: (client) => call(client.topics), answer },
});

/** @type {Record<string, Call>} */
const URL_GROUPS = {
  ...bothNames("add endpoints", (groups) =>
    groups.addEndpoints({ name: "group", endpoints: [{ url: URL, name: "a" }, { url: "https://b.test" }] }),
  ),
  ...bothNames("remove endpoints", (groups) =>
    groups.removeEndpoints({ name: "group", endpoints: [{ url: URL }, { name: "b" }] }),
  ),
  ...bothNames("list", (groups) => groups.list(), [GROUP]),
  ...bothNames("get", (groups) => groups.get("group"), GROUP),
  ...bothNames("delete", (groups) => groups.delete("group")),
};

const { notBefore, deduplicationId, contentBasedDeduplication, ...SCHEDULE_OPTIONS } = OPTIONS;

/** @type {Record<string, Call>} */
const SCHEDULES = {
  "schedules: create": {
    call: (client) => client.schedules.create({ destination: URL, cron: "*/5 * * * *" }),
    answer: { scheduleId: "scd_1" },
  },
  "schedules: create, every option": {
    call: (client) =>
      client.schedules.create({
        ...SCHEDULE_OPTIONS,
        destination: "group",
        cron: "CRON_TZ=America/New_York 0 4 * * *",
        scheduleId: "nightly",
        queueName: "orders",
        body: "é",
      }),
    answer: { scheduleId: "nightly" },
  },
  "schedules: create with a type": {
    call: (client) =>
      client.schedules.create({
        destination: URL,
        cron: "0 0 1 1 *",
        body: "a,b",
        headers: { "content-type": "text/csv", ...CALLBACK_HEADERS },
        delay: "1h",
        timeout: "1m",
        flowControl: { key: "k", ratePerSecond: 3, period: "1h" },
        redact: { header: true },
      }),
    answer: { scheduleId: "scd_1" },
  },
  "schedules: create with a fraction of a second": {
    call: (client) => client.schedules.create({ destination: URL, cron: "* * * * *", timeout: 1.5 }),
  },
  "schedules: get": { call: (client) => client.schedules.get("scd_1"), answer: SCHEDULE },
  "schedules: get without a rate": {
    call: (client) => client.schedules.get("scd_1"),
    answer: { scheduleId: "scd_1" },
  },
  "schedules: list": { call: (client) => client.schedules.list(), answer: [SCHEDULE, { scheduleId: "scd_2" }] },
  "schedules: delete": { call: (client) => client.schedules.delete("scd_1") },
  "schedules: pause": { call: (client) => client.schedules.pause({ schedule: "scd_1" }) },
  "schedules: resume": { call: (client) => client.schedules.resume({ schedule: "scd_1" }) },
};

const cancel = (request, answer = { cancelled: 2 }) => ({ call: (client) => client.messages.cancel(request), answer });

/** @type {Record<string, Call>} */
const MESSAGES = {
  "messages: get": { call: (client) => client.messages.get("msg_1"), answer: STORED },
  "messages: get without a group or a rate": {
    call: (client) => client.messages.get("msg_1"),
    answer: { messageId: "msg_1", url: URL },
  },
  "messages: cancel one": cancel("msg_1", { cancelled: 1 }),
  "messages: cancel several": cancel(["msg_1", "msg_2"]),
  "messages: cancel none": cancel([]),
  "messages: cancel by ids": cancel({ messageIds: ["msg_1"] }),
  "messages: cancel by filter": cancel({ filter: filter(PLACE) }),
  "messages: cancel by filter, so many": cancel({ filter: { label: "x" }, count: 5 }),
  "messages: cancel all": cancel({ all: true }),
  "messages: cancel all, so many": cancel({ all: true, count: 7 }),
  "messages: delete": { call: (client) => client.messages.delete("msg_1") },
  "messages: deleteMany": { call: (client) => client.messages.deleteMany(["a", "b"]), answer: { cancelled: 2 } },
  "messages: deleteMany of none": { call: (client) => client.messages.deleteMany([]) },
  "messages: deleteAll": { call: (client) => client.messages.deleteAll(), answer: { cancelled: 9 } },
};

const DEAD = { ...STORED, dlqId: "1-0", responseStatus: 500, responseHeader: { a: ["b"] }, responseBody: "no" };
const dlqList = (...request) => ({
  call: (client) => client.dlq.listMessages(...request),
  answer: { messages: [DEAD, { messageId: "msg_2", dlqId: "2-0" }], cursor: "c1" },
});
const dlqBulk = (method, answer) => (request) => ({ call: (client) => client.dlq[method](request), answer });
const dlqDelete = dlqBulk("delete", { deleted: 2, cursor: "c2" });
const dlqRetry = dlqBulk("retry", { responses: [{ messageId: "msg_9" }], cursor: "" });

/** @type {Record<string, Call>} */
const DLQ = {
  "dlq: list": dlqList(),
  "dlq: list nothing special": dlqList({}),
  "dlq: list a page": dlqList({ count: 10, cursor: "c/0+1=" }),
  "dlq: list by filter": dlqList({ filter: filter({ messageId: "msg_1", responseStatus: [500, 502] }), count: 3 }),
  "dlq: list one id": dlqList({ dlqIds: "1-0" }),
  "dlq: list ids": dlqList({ dlqIds: ["1-0", "2-0"], count: 2 }),
  "dlq: list without a cursor": {
    call: (client) => client.dlq.listMessages(),
    answer: { messages: [] },
  },
  "dlq: delete one": dlqDelete("1-0"),
  "dlq: delete several": dlqDelete(["1-0", "2-0"]),
  "dlq: delete none": dlqDelete([]),
  "dlq: delete one by option": dlqDelete({ dlqIds: "1-0" }),
  "dlq: delete several by option": dlqDelete({ dlqIds: ["1-0", "2-0"] }),
  "dlq: delete by filter": dlqDelete({ filter: filter({ responseStatus: 404 }), cursor: "c", count: 10 }),
  "dlq: delete all": dlqDelete({ all: true }),
  "dlq: delete all, a page": dlqDelete({ all: true, count: 10, cursor: "c" }),
  "dlq: deleteMany": dlqBulk("deleteMany", { deleted: 1 })({ dlqIds: ["1-0"] }),
  "dlq: retry one": dlqRetry("1-0"),
  "dlq: retry several": dlqRetry(["1-0", "2-0"]),
  "dlq: retry none": dlqRetry([]),
  "dlq: retry by option": dlqRetry({ dlqIds: ["1-0"] }),
  "dlq: retry by filter": dlqRetry({ filter: filter() }),
  "dlq: retry all": dlqRetry({ all: true, count: 1 }),
  "dlq: retry with a cursor in the answer": dlqBulk("retry", { responses: [], cursor: "c3" })({ all: true }),
};

const EVENT = { time: 1, state: "FAILED", messageId: "msg_1", url: URL, topicName: "group", error: "no" };
const logs = (...request) => ({
  call: (client) => client.logs(...request),
  answer: { cursor: "1700000000000-7", events: [EVENT, { time: 2, state: "CREATED", messageId: "msg_2", url: URL }] },
});

/** @type {Record<string, Call>} */
const LOGS = {
  logs: logs(),
  "logs: a page": logs({ count: 10, cursor: "1700000000000-7" }),
  "logs: a number as cursor": logs({ cursor: 1700000000000 }),
  "logs: by filter": logs({ filter: filter({ ...PLACE, state: "FAILED", messageId: "msg_1" }), count: 3 }),
  "logs: by former names": logs({ filter: { topicName: "group", count: 4 } }),
  "logs: ids": logs({ messageIds: ["msg_1", "msg_2"] }),
  events: { call: (client) => client.events({ count: 1 }), answer: { events: [EVENT] } },
};

const INFO = { flowControlKey: "k", waitListSize: 1, parallelismMax: 2, isPaused: false };

/** @type {Record<string, Call>} */
const FLOW_CONTROL = {
  "flowControl: get": { call: (client) => client.flowControl.get("k-1_2.3"), answer: INFO },
  "flowControl: getGlobalParallelism": {
    call: (client) => client.flowControl.getGlobalParallelism(),
    answer: { parallelismMax: 10, parallelismCount: 3 },
  },
  "flowControl: getGlobalParallelism, none": {
    call: (client) => client.flowControl.getGlobalParallelism(),
    answer: {},
  },
  "flowControl: pause": { call: (client) => client.flowControl.pause("k") },
  "flowControl: resume": { call: (client) => client.flowControl.resume("k") },
  "flowControl: pin": { call: (client) => client.flowControl.pin("k", { parallelism: 1, rate: 2, period: 60 }) },
  "flowControl: pin one": { call: (client) => client.flowControl.pin("k", { rate: 0 }) },
  "flowControl: unpin": { call: (client) => client.flowControl.unpin("k", { parallelism: true, rate: true }) },
  "flowControl: unpin one": { call: (client) => client.flowControl.unpin("k", { rate: true }) },
  "flowControl: unpin one and not the other": {
    call: (client) => client.flowControl.unpin("k", { parallelism: false, rate: true }),
  },
  "flowControl: resetRate": { call: (client) => client.flowControl.resetRate("k") },
};

/** @type {Record<string, Call>} */
const WORKFLOW = {
  "workflow: cancel": { call: (client) => client.workflow.cancel("wfr_a") },
};

/** @type {Record<string, Call>} */
export const CALLS = {
  ...PUBLISH,
  ...BATCH,
  ...QUEUES,
  ...URL_GROUPS,
  ...SCHEDULES,
  ...MESSAGES,
  ...DLQ,
  ...LOGS,
  ...FLOW_CONTROL,
  ...WORKFLOW,
};
