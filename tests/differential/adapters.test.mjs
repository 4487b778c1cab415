/** Every adapter beside the official one: workflows served by `serve`, and the answers of `serveMany`. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { resume, trigger } from "./delivery.mjs";
import { differential, recordingOf } from "./differential.mjs";
import { entryOf, FRAMEWORKS, stop } from "./frameworks.mjs";
import { official, ours } from "./implementations.mjs";
import { INTENDED_DIFFERENCES } from "./intended-differences.mjs";
import { TOPICS } from "./scenarios/index.mjs";

const packages = { "@upstash/workflow": await official(), "@repo/orchestration": await ours() };
const moduleOf = (name, framework) =>
  import(`${name}${name.startsWith("@repo") ? "/workflows" : ""}/${entryOf(framework)}`);

/** A trigger whose media type is told or replaced by JSON, as the adapter has it. */
const CONTENT = ["text/plain", "application/json", "application/xml"].map((type) => ({
  name: `a first invocation of ${type}`,
  route: () => async (context) => {
    await context.run("a", () => 1);
  },
  deliveries: [trigger('{"a":1}', { headers: { "content-type": type, "x-own": "1" } })],
}));

const IN_NODE = /express|Pages|h3/;

after(stop);

for (const [framework, shape] of Object.entries(FRAMEWORKS)) {
  describe(framework, async () => {
    const [theirs, own] = await Promise.all(
      Object.entries(packages).map(async ([name, implementation]) => {
        const { one, many } = shape(await moduleOf(name, framework));
        return { ...implementation, name, many, serve: (...args) => ({ handler: one(...args) }) };
      }),
    );

    // Only Node's requests have to be turned into others.
    const scenarios = IN_NODE.test(framework)
      ? [...TOPICS.sequential, ...TOPICS.failure]
      : TOPICS.sequential.slice(0, 6);
    for (const scenario of [...CONTENT, ...scenarios]) {
      // The official adapter sees only what parsers have read, and loses other bodies.
      if (framework === "express" && [CONTENT[2].name, "content type of a first invocation"].includes(scenario.name))
        continue;
      test(scenario.name, async () => {
        const recording = await recordingOf(scenario, theirs);
        const { unexpected, text } = await differential(scenario, recording, own, INTENDED_DIFFERENCES);
        if (unexpected.length > 0) assert.fail(text);
      });
    }

    if (framework === "solidjs") return;
    const exported = await moduleOf("@repo/orchestration", framework);
    const theirExports = await moduleOf("@upstash/workflow", framework);

    test("exports what the official module exports", () => {
      const missing = Object.keys(theirExports).filter((name) => typeof exported[name] !== typeof theirExports[name]);
      assert.deepEqual(missing, []);
    });

    test("createWorkflow gives the same object", () => {
      const route = async () => {};
      const options = { retries: 1 };
      for (const name of ["createWorkflow", "createWorkflowPagesRouter"]) {
        if (!theirExports[name]) continue;
        assert.deepEqual(exported[name](route, options), theirExports[name](route, options));
        assert.deepEqual(exported[name](route), theirExports[name](route));
      }
    });

    describe("serveMany", () => {
      const seen = [];
      const workflows = ({ createWorkflow }) => ({
        first: createWorkflow(async (context) => {
          await context.run("a", () => void seen.push("first"));
        }),
        second: createWorkflow(
          async (context) => {
            await context.run("a", () => void seen.push("second"));
          },
          { verbose: false },
        ),
      });
      const env = { QSTASH_URL: "http://127.0.0.1:1", QSTASH_TOKEN: "t" };
      /** What `serveMany` answers to a request that no workflow is there for. */
      const unknown = async ({ many }, module, path) => {
        const handler = many(workflows(module), { env });
        const response = await handler(new Request(`https://app.test${path}`, { method: "POST", body: "" }));
        const headers = [...response.headers].filter(([name]) => name.startsWith("upstash-"));
        return { status: response.status, headers, text: await response.text() };
      };

      for (const path of ["/api/other", "/api/", "/first/", "/api/other?a=first"]) {
        test(`unknown: ${path}`, async () => {
          const answer = await unknown(own, exported, path);
          assert.equal(answer.status, 404);
          // The official adapters of these two never answer: the response gets lost.
          if (!/express|Pages/.test(framework)) {
            assert.deepEqual(answer, await unknown(theirs, theirExports, path));
          }
        });
      }

      test("a name that every object has is unknown too", async () => {
        assert.equal((await unknown(own, exported, "/api/constructor")).status, 404);
      });

      test("calls the one whose name ends the path, and tells each its name and the options", async () => {
        const made = workflows(exported);
        const shared = { env, retries: 2, qstashClient: { retry: false } };
        const handler = own.many(made, { ...shared, verbose: true });
        assert.deepEqual(
          Object.entries(made).map(([name, { workflowId, options }]) => [name === workflowId, options]),
          [
            [true, { ...shared, verbose: true }],
            [true, { ...shared, verbose: false }],
          ],
        );
        for (const name of ["first", "second?a=1"]) {
          const { headers, body } = resume([], {});
          await muted(() => handler(new Request(`https://app.test/api/${name}`, { method: "POST", headers, body })));
        }
        assert.deepEqual(seen, ["first", "second"]);
      });

      test("a workflow invokes its sibling", async () => {
        const scenario = {
          name: "invoke",
          deliveries: [{ ...resume(), url: "https://app.test/api/parent" }],
          route: () => {},
        };
        const invoking = (implementation, { createWorkflow }) => ({
          ...implementation,
          serve: (_, options) => {
            const child = createWorkflow(async (context) => void (await context.run("a", () => 1)));
            const parent = createWorkflow(async (context) => {
              await context.invoke("ask", { workflow: child, body: { n: 1 }, workflowRunId: "own" });
            });
            return { handler: implementation.many({ parent, child }, options) };
          },
        });
        const recording = await recordingOf(scenario, invoking(theirs, theirExports));
        // Behind a server the paths hold its address.
        assert.match(recording[0].requests[0].path, /^\/v2\/publish\/https?:\/\/[^/]+\/api\/child$/);
        const candidate = invoking(own, exported);
        const { unexpected, text } = await differential(scenario, recording, candidate, INTENDED_DIFFERENCES);
        if (unexpected.length > 0) assert.fail(text);
      });

      test("a name with a slash is refused as the official one is", () => {
        const refusal = (implementation, { createWorkflow }) => {
          try {
            implementation.many({ "a/b": createWorkflow(async () => {}) });
          } catch ({ name, message }) {
            return { name, message };
          }
        };
        assert.deepEqual(refusal(own, exported), refusal(theirs, theirExports));
      });
    });

    test("other methods than POST", async () => {
      const { env } = { env: { QSTASH_URL: "http://127.0.0.1:1", QSTASH_TOKEN: "t" } };
      const answer = async ({ serve }) => {
        const { handler } = serve(async (context) => void (await context.run("a", () => 1)), { env });
        const response = await handler(new Request("https://app.test/api/order", { method: "GET" }));
        return [response.status, await response.text()];
      };
      if (!IN_NODE.test(framework)) return;
      const [status, text] = await answer(own);
      assert.deepEqual([status, text], await answer(theirs));
      assert.equal(status, 405);
    });
  });
}

async function muted(call) {
  const { log } = console;
  console.log = () => {};
  try {
    return await call();
  } finally {
    console.log = log;
  }
}
