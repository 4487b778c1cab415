/** The harness can fail: altered traffic is reported, and only altered traffic. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { differences, judge, report } from "./compare.mjs";
import { ran, resume, trigger } from "./delivery.mjs";
import { differential, recordingOf } from "./differential.mjs";
import { run } from "./driver.mjs";
import { official } from "./implementations.mjs";
import { startRecorder } from "./recorder.mjs";
import { TOPICS } from "./scenarios/index.mjs";

const reference = await official();

const SLEEPING = {
  name: "sleeping",
  route:
    ({ trace }) =>
    async (context) => {
      await context.sleep("pause", 10);
      return await context.run("a", () => trace("a runs"));
    },
  deliveries: [trigger('{"n":1}'), resume()],
};
const STEP = {
  ...SLEEPING,
  name: "step",
  route: () => async (context) => context.run("a", () => 1),
  deliveries: [resume()],
};
const LAST = { ...STEP, name: "last", deliveries: [resume([ran(1, "a", 1)])] };
const GROUP = {
  ...STEP,
  name: "group",
  route: () => async (context) => Promise.all([context.run("x", () => 1), context.run("y", () => 2)]),
  deliveries: [resume()],
};

/** The reference with its traffic altered on the way out (`send`) or in its answer (`answer`). */
function altered({ send = (...request) => [request], answer = (response) => response, route = (it) => it }) {
  const serve = (routeFunction, options) => {
    const { handler } = reference.serve(route(routeFunction), options);
    return {
      async handler(request) {
        const { fetch } = globalThis;
        globalThis.fetch = async (url, init) => {
          let last;
          for (const [nextUrl, nextInit] of send(url, init)) last = await fetch(nextUrl, nextInit);
          return last ?? Response.json([{ messageId: "msg_1" }]);
        };
        try {
          return await answer(await handler(request));
        } finally {
          globalThis.fetch = fetch;
        }
      },
    };
  };
  return { ...reference, name: "altered", serve };
}

/** Rewrites the text of every request body that contains `from`. */
const rewriting = (from, to) => ({
  send: (url, init) => [[url, init.body?.includes(from) ? { ...init, body: init.body.replace(from, to) } : init]],
});

const reversingHeaders = {
  send: (url, init) => {
    const items = JSON.parse(init.body).map((item) => ({
      ...item,
      headers: Object.fromEntries(Object.entries(item.headers).reverse()),
    }));
    return [[url, { ...init, body: JSON.stringify(items) }]];
  },
};

const withHeaders = (response, headers) =>
  new Response(response.body, {
    status: response.status,
    headers: { ...Object.fromEntries(response.headers), ...headers },
  });

const ALTERATIONS = [
  [
    "another delay",
    SLEEPING,
    rewriting('"upstash-delay":"10s"', '"upstash-delay":"11s"'),
    /^\[1\]\.requests\[0\]\.items\[0\]\.headers\.upstash-delay$/,
  ],
  ["a missing header", SLEEPING, rewriting('"upstash-delay":"10s",', ""), /headers\.upstash-delay$/],
  ["a header more", STEP, rewriting('"headers":{', '"headers":{"upstash-retries":"3",'), /headers\.upstash-retries$/],
  [
    "a header name in another case",
    STEP,
    rewriting('"upstash-method"', '"Upstash-Method"'),
    /headers\.(U|u)pstash-(M|m)ethod$/,
  ],
  [
    "another order of a step's fields",
    STEP,
    rewriting('\\"stepId\\":1,\\"stepName\\":\\"a\\"', '\\"stepName\\":\\"a\\",\\"stepId\\":1'),
    /items\[0\]\.body$/,
  ],
  ["a blank in a step's body", STEP, rewriting('\\"stepId\\":1', '\\"stepId\\": 1'), /items\[0\]\.body$/],
  [
    "another order of an item's fields",
    STEP,
    {
      send: (url, init) => [
        [
          url,
          {
            ...init,
            body: JSON.stringify(JSON.parse(init.body).map(({ destination, ...item }) => ({ ...item, destination }))),
          },
        ],
      ],
    },
    /items\[0\] \(order of fields\)$/,
  ],
  [
    "a missing field of an item",
    STEP,
    rewriting('{"destination":"https://app.test/api/order",', "{"),
    /items\[0\]\.destination$/,
  ],
  ["a blank in the batch", STEP, rewriting('[{"destination"', '[ {"destination"'), /unusualEncoding$/],
  [
    "a result encoded twice",
    STEP,
    rewriting('\\"out\\":\\"1\\"', '\\"out\\":\\"\\\\\\"1\\\\\\"\\"'),
    /items\[0\]\.body$/,
  ],
  ["a request twice", STEP, { send: (...request) => [request, request] }, /requests\[1\]$/],
  ["a request that is not sent", STEP, { send: () => [] }, /requests\[0\]$/],
  [
    "plans in another order",
    GROUP,
    { send: (url, init) => [[url, { ...init, body: JSON.stringify(JSON.parse(init.body).reverse()) }]] },
    /items\[0\]\.body$/,
  ],
  [
    "another token",
    STEP,
    {
      send: (url, init) => [
        [url, { ...init, headers: { ...Object.fromEntries(init.headers), authorization: "Bearer other" } }],
      ],
    },
    /requests\[0\]\.headers\.authorization$/,
  ],
  [
    "another query",
    LAST,
    { send: (url, init) => [[url.replace("cancel=false", "cancel=true"), init]] },
    /requests\[0\]\.path$/,
  ],
  ["another method", LAST, { send: (url, init) => [[url, { ...init, method: "POST" }]] }, /requests\[0\]\.method$/],
  ["another result of the run", LAST, { send: (url, init) => [[url, { ...init, body: "2" }]] }, /requests\[0\]\.body$/],
  [
    "another status",
    STEP,
    { answer: (response) => new Response(response.body, { status: 201, headers: response.headers }) },
    /response\.status$/,
  ],
  [
    "another header of the answer",
    STEP,
    { answer: (response) => withHeaders(response, { "retry-after": "1" }) },
    /response\.headers\.retry-after$/,
  ],
  [
    "another body of the answer",
    STEP,
    { answer: (response) => new Response("{}", { headers: response.headers }) },
    /response\.body\.workflowRunId$/,
  ],
  [
    "a run id that is not the trigger's",
    SLEEPING,
    {
      answer: async (response) =>
        new Response((await response.text()).replace(/wfr_\w{3}/, "wfr_zzz"), { headers: response.headers }),
    },
    /response\.body\.workflowRunId$/,
  ],
];

describe("altered traffic is reported", () => {
  for (const [name, scenario, alteration, path] of ALTERATIONS) {
    test(name, async () => {
      const { unexpected, text } = await differential(
        scenario,
        await recordingOf(scenario, reference),
        altered(alteration),
      );
      assert.ok(
        unexpected.some((difference) => path.test(difference.path)),
        `not reported at ${path}:\n${text || "(no difference)"}`,
      );
    });
  }

  test("a step function that runs twice", async () => {
    const twice = (routeFunction) => (context) => {
      const run = context.run.bind(context);
      context.run = (name, step) =>
        run(name, () => {
          step();
          return step();
        });
      return routeFunction(context);
    };
    const scenario = {
      ...STEP,
      route:
        ({ trace }) =>
        async (context) =>
          context.run("a", () => trace("a runs")),
    };
    const { unexpected } = await differential(
      scenario,
      await recordingOf(scenario, reference),
      altered({ route: twice }),
    );
    assert.deepEqual(unexpected, [{ path: "[0].trace[1]", expected: undefined, actual: '"a runs"' }]);
  });

  test("a handler that rejects", async () => {
    const { unexpected } = await differential(
      STEP,
      await recordingOf(STEP, reference),
      altered({ answer: () => Promise.reject(new TypeError("lost")) }),
    );
    assert.ok(unexpected.some(({ path, actual }) => path === "[0].response.thrown" && actual === "TypeError: lost"));
  });
});

describe("what no rule speaks about is not reported", () => {
  const UNRULED = {
    "telemetry values": [SLEEPING, rewriting('"upstash-telemetry-sdk":"', '"upstash-telemetry-sdk":"other ')],
    "telemetry of another name": [
      STEP,
      rewriting('"headers":{', '"headers":{"upstash-forward-upstash-telemetry-x":"1",'),
    ],
    "order of headers": [STEP, reversingHeaders],
    "name of the SDK": [STEP, { answer: (response) => withHeaders(response, { "upstash-workflow-sdk": "v9" }) }],
    "random run ids": [SLEEPING, {}],
    "connection headers": [
      STEP,
      {
        send: (url, init) => [
          [
            url,
            { ...init, headers: { ...Object.fromEntries(init.headers), "user-agent": "other", accept: "text/html" } },
          ],
        ],
      },
    ],
  };

  for (const [name, [scenario, alteration]] of Object.entries(UNRULED)) {
    test(name, async () =>
      assert.equal(
        (await differential(scenario, await recordingOf(scenario, reference), altered(alteration))).text,
        "",
      ),
    );
  }
});

describe("reports", () => {
  test("name place, both values and the first difference", () => {
    const found = differences(
      [{ requests: [{ body: `${"x".repeat(50)}a` }], status: 200 }],
      [{ requests: [{ body: `${"x".repeat(50)}b` }], status: 200 }],
    );
    const value = (end) => `"${"x".repeat(50)}${end}"`;
    assert.equal(
      report(found, { expected: "theirs", actual: "ours" }),
      `  [0].requests[0].body\n    theirs  ${value("a")}\n    ours    ${value("b")}\n${" ".repeat(4 + 8 + 51)}^ first difference`,
    );
  });

  test("tell absent from null", () => {
    assert.deepEqual(differences({ a: null }, {}), [{ path: "a", expected: null, actual: undefined }]);
    assert.match(report(differences({ a: null }, {})), /expected {2}null\n {4}actual {4}\(absent\)/);
  });

  test("tell the order of fields", () => {
    assert.deepEqual(differences({ a: 1, b: 2 }, { b: 2, a: 1 }), [
      { path: " (order of fields)", expected: ["a", "b"], actual: ["b", "a"] },
    ]);
  });
});

describe("intended differences", () => {
  const found = [
    { path: "[0].response.status", expected: 500, actual: 401 },
    { path: "[0].response.body.message", expected: "x", actual: "the signature is missing" },
  ];
  const entry = (more) => ({ scenario: ["signed"], path: /^\[0\]\.response\.status$/, reason: "stricter", ...more });

  test("cover what they name and no more", () => {
    const table = [entry({ actual: 401 })];
    const { unexpected, used } = judge(found, "signed", table);
    assert.deepEqual([unexpected, [...used]], [[found[1]], table]);
  });

  test("do not cover another value, path or scenario", () => {
    for (const [table, scenario] of [
      [[entry({ actual: 403 })], "signed"],
      [[entry({ path: /^\[1\]/ })], "signed"],
      [[entry({ actual: 401 })], "unsigned"],
    ]) {
      assert.deepEqual(judge(found, scenario, table).unexpected, found);
      assert.equal(judge(found, scenario, table).used.size, 0);
    }
  });

  test("may give a pattern for a text", () => {
    const message = entry({ path: /message$/, actual: /signature is missing/ });
    assert.deepEqual(judge(found, "signed", [message]).unexpected, [found[0]]);
  });
});

describe("the recorder", () => {
  test("keeps requests as sent and answers like QStash", async () => {
    const recorder = await startRecorder();
    try {
      const batch = await fetch(`${recorder.url}/v2/batch`, {
        method: "POST",
        body: '[{"é":1},{}]',
        headers: { "X-Case": "Kept" },
      });
      assert.deepEqual(await batch.json(), [{ messageId: "msg_1" }, { messageId: "msg_2" }]);
      assert.equal(
        (await fetch(`${recorder.url}/v2/workflows/runs/wfr_x?cancel=false`, { method: "DELETE" })).status,
        200,
      );
      assert.equal((await fetch(`${recorder.url}/v2/workflows/runs/wfr_x`)).status, 404);
      assert.equal((await fetch(`${recorder.url}/v2/elsewhere`)).status, 404);

      const [first, second] = recorder.take();
      assert.equal(first.body, '[{"é":1},{}]');
      assert.ok(first.headers.some(([name, value]) => name === "X-Case" && value === "Kept"));
      assert.equal(second.path, "/v2/workflows/runs/wfr_x?cancel=false");
      assert.deepEqual(recorder.take(), []);
    } finally {
      await recorder.close();
    }
  });

  test("plays a conversation to its end", async () => {
    const { exchanges } = await run({ ...GROUP, deliveries: undefined, conversation: trigger("{}") }, reference);
    assert.deepEqual(
      exchanges.map(({ requests }) => requests.map(({ method, path }) => `${method} ${path.split("/")[2]}`).join()),
      ["POST batch", "POST batch", "POST batch", "POST batch", "", "DELETE workflows"],
    );
  });

  test("ends a conversation that does not end", async () => {
    const endless = {
      ...STEP,
      conversation: trigger("{}"),
      route: () => async (context) => {
        for (let index = 0; ; index += 1) await context.run(`${index}`, () => 1);
      },
    };
    await assert.rejects(run({ ...endless, deliveries: undefined }, reference), /no end after 50 deliveries/);
  });
});

test("scenarios have names of their own and something to do", () => {
  const all = Object.values(TOPICS).flat();
  assert.deepEqual(
    all.filter(({ name }, index) => all.findIndex((other) => other.name === name) !== index),
    [],
  );
  assert.deepEqual(
    all.filter(({ conversation, deliveries }) => !conversation && !(deliveries?.length > 0)),
    [],
  );
});
