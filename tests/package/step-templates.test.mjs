/** Steps for common work: here, and in runs on a real broker. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { compose, createStep, withStepRetry } from "@repo/orchestration";
import { notifyAction } from "@repo/orchestration/actions";
import {
  createConditionalStep,
  createDelayStep,
  createHttpStep,
  createMapStep,
  createParallelStep,
  createTransformStep,
  StepTemplates,
  stepTemplates,
} from "@repo/orchestration/shared/factories/step-templates";

import { server } from "../node-host/support.mjs";
import { durable } from "./durable.mjs";

const JSON_TYPE = { "content-type": "application/json" };
/** Tells the request, as JSON. */
const echo = (t) =>
  server(t, ({ method, url, headers, body }) => ({
    headers: JSON_TYPE,
    body: JSON.stringify({ method, url, type: headers["content-type"], mark: headers["x-mark"], body: `${body}` }),
  }));

test("the templates are in one object too", () => {
  assert.deepEqual(Object.keys(stepTemplates), ["http", "delay", "transform", "conditional", "parallel", "map"]);
  assert.equal(StepTemplates, stepTemplates);
  assert.equal(stepTemplates.http, createHttpStep);
});

/** Does a step here, and in a run; both have to give the same. */
async function both(t, step, input, rest) {
  const here = await step.execute(input);
  const done = await (await durable(t)).run(
    async (context) => {
      await context.run("first", () => {});
      return step.run(context, context.requestPayload);
    },
    { input, ...rest },
  );
  assert.equal(done.state, "RUN_SUCCESS");
  assert.deepEqual(done.result, JSON.parse(JSON.stringify(here)));
  return { result: here, ...done, steps: done.steps.slice(2) };
}

describe("http", () => {
  test("url, headers and body are values or made of the input; the broker makes the request of a run", async (t) => {
    const { url, requests } = await echo(t);
    const step = createHttpStep("call", {
      url: (id) => `${url}/users/${id}`,
      method: "PUT",
      headers: (id) => ({ "x-mark": `m${id}` }),
      body: (id) => ({ id }),
    });
    const here = await step.execute(7);
    assert.equal(here.status, 200);
    const asked = { method: "PUT", url: "/users/7", type: "application/json", mark: "m7", body: '{"id":7}' };
    assert.deepEqual(here.body, asked);
    const done = await (await durable(t)).perform(step, 7);
    assert.deepEqual(done.result.body, asked);
    assert.equal(done.result.status, 200);
    assert.match(requests[1].headers["user-agent"] ?? "", /^(?!node)/);
    assert.deepEqual([requests.length, done.log.steps[1].steps[0].stepType], [2, "Call"]);
  });

  test("texts and bytes are sent as they are, a type of one's own is kept", async (t) => {
    const { url } = await echo(t);
    const sent = async (body, headers) => {
      const { type, body: text } = (await createHttpStep("call", { url, method: "POST", body, headers }).execute(1))
        .body;
      return [type, text];
    };
    assert.deepEqual(await sent("text", { "content-type": "a/b" }), ["a/b", "text"]);
    assert.deepEqual(await sent(new TextEncoder().encode("bytes"), {}), [undefined, "bytes"]);
    assert.deepEqual(await sent([1], { "Content-Type": "a/json" }), ["a/json", "[1]"]);
    assert.deepEqual(await sent(null), ["application/json", "null"]);
  });

  test("no answer at all rejects with a code, and is worth another try", async () => {
    const unreachable = createHttpStep("away", { url: "http://127.0.0.1:1/" });
    await assert.rejects(unreachable.execute(), ({ code, retryable, message }) => {
      assert.deepEqual([code, retryable], ["ProviderUnavailable", true]);
      assert.match(message, /'away' got no answer/);
      return true;
    });
  });

  test("an answer that is not expected rejects", async (t) => {
    const { url } = await server(t, () => ({ status: 404, headers: JSON_TYPE, body: '{"gone":true}' }));
    const { run } = await durable(t);
    const step = createHttpStep("call", { url });
    const failure = { name: "WorkflowCallError", code: "CallFailed", status: 404, body: { gone: true } };
    await assert.rejects(step.execute(1), failure);
    const done = await run((context) => step.run(context, 1).catch(({ code, body }) => ({ code, body })));
    assert.deepEqual(done.result, { code: "CallFailed", body: { gone: true } });
    const expecting = createHttpStep("call", { url, expect: [200, 404] });
    assert.equal((await both(t, createTransformed(expecting), 1)).result, 404);
  });

  test("an answer that does not fit its schema rejects, for good", async (t) => {
    const { url } = await server(t, () => ({ headers: JSON_TYPE, body: '{"id":"7"}' }));
    const validate = (value) =>
      typeof value.id === "number" ? { value } : { issues: [{ message: "a number", path: ["id"] }] };
    const response = { "~standard": { version: 1, vendor: "test", validate } };
    const step = createHttpStep("call", { url, response });
    const message = "the response of step 'call' does not fit its schema: id: a number";
    await assert.rejects(step.execute(1), { code: "ValidationFailed", message });
    const { run } = await durable(t);
    const done = await run((context) => step.run(context, 1).catch((error) => [error.code, error.message]));
    assert.deepEqual(done.result, ["ValidationFailed", message]);
    const failed = await run((context) => step.run(context, 1), { retries: 3 });
    assert.deepEqual([failed.state, failed.seconds], ["RUN_FAILED", 0]);
    const fitting = createHttpStep("call", { url, response: { parse: ({ id }) => ({ id: Number(id) }) } });
    assert.deepEqual((await fitting.execute(1)).body, { id: 7 });
  });

  test("what is not known at once is refused", async () => {
    const step = createHttpStep("call", { url: async () => "http://127.0.0.1:1/" });
    await assert.rejects(step.execute(1), { code: "InvalidConfiguration", message: /the url of step 'call'/ });
  });

  test("a stub stands for the request in a unit test", async () => {
    const step = createHttpStep("call", { url: "http://127.0.0.1:1/" });
    const stubs = { call: ({ url }) => ({ status: 200, header: {}, body: url }) };
    assert.equal((await step.execute(1, { stubs })).body, "http://127.0.0.1:1/");
  });
});

const createTransformed = (step) =>
  compose(
    step,
    createTransformStep("status", ({ status }) => status),
  );

describe("delay", () => {
  test("hands its input on, after a time that the broker waits for in a run", async (t) => {
    const done = await (await durable(t)).perform(createDelayStep("wait", "2h"), { a: 1 }, { jump: 600 });
    assert.deepEqual([done.result, done.seconds, done.log.steps[1].steps[0].stepType], [{ a: 1 }, 7200, "SleepFor"]);
    const computed = await (await durable(t)).perform(
      createDelayStep("wait", (seconds) => seconds * 1000),
      90,
    );
    assert.deepEqual([computed.result, computed.seconds], [90, 90]);
  });

  test("a duration that can't be is refused", async () => {
    for (const duration of [-1, Number.NaN, Number.POSITIVE_INFINITY, "soon", undefined])
      assert.throws(() => createDelayStep("wait", duration), { code: "InvalidConfiguration" });
    await assert.rejects(createDelayStep("wait", () => "soon").execute(1), { code: "InvalidConfiguration" });
  });
});

describe("transform", () => {
  test("costs no message, unless it is durable", async (t) => {
    const double = (number) => number * 2;
    const cheap = await both(
      t,
      compose(
        createTransformStep("double", double),
        createStep("add", (n) => n + 1),
      ),
      4,
    );
    assert.deepEqual([cheap.result, cheap.steps], [9, ["add"]]);
    const kept = await both(
      t,
      createTransformStep("double", async (n) => double(n), { durable: true }),
      4,
    );
    assert.deepEqual([kept.result, kept.steps], [8, ["double"]]);
  });

  test("what has to be waited for has to be remembered", async () => {
    const step = createTransformStep("later", async () => 1);
    await assert.rejects(step.execute(1), { code: "InvalidConfiguration", message: /option durable/ });
  });
});

describe("conditional", () => {
  const large = createStep("large", (number) => `large ${number}`);
  const small = createStep("small", (number) => `small ${number}`);
  const isLarge = (number) => number > 9;

  test("one step or the other", async (t) => {
    const step = createConditionalStep("choose", isLarge, large, small);
    assert.deepEqual((await both(t, step, 10)).steps, ["large"]);
    const done = await both(t, step, 1);
    assert.deepEqual([done.result, done.steps], ["small 1", ["small"]]);
  });

  test("without another, the input is handed on", async (t) => {
    const done = await both(t, createConditionalStep("choose", isLarge, large), 1);
    assert.deepEqual([done.result, done.steps], [1, []]);
  });

  test("an answer that may change is remembered", async (t) => {
    const { run } = await durable(t);
    let answers = 0;
    const fickle = createConditionalStep("choose", async () => answers++ === 0, large, small, { durable: true });
    const done = await run(async (context) => {
      const result = await fickle.run(context, 5);
      await context.run("after", () => {});
      return result;
    });
    assert.deepEqual([done.result, done.steps], ["large 5", ["init", "choose", "large", "after"]]);
  });
});

describe("parallel", () => {
  const slow = createStep("slow", async (n) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return n + 1;
  });
  const quick = createStep("quick", (n) => n + 2);

  test("an object of steps gives an object, a list a list", async (t) => {
    const named = await both(t, createParallelStep("load", { slow, quick }), 1);
    assert.deepEqual(named.result, { slow: 2, quick: 3 });
    assert.deepEqual(named.steps.toSorted(), ["quick", "slow"]);
    const listed = await both(t, createParallelStep("load", [slow, quick]), 1);
    assert.deepEqual(listed.result, [2, 3]);
  });

  test("in a run they are one group, whatever they are made of", async (t) => {
    const { url } = await echo(t);
    const step = createParallelStep("load", {
      call: createTransformed(createHttpStep("call", { url })),
      wait: createDelayStep("wait", 3000),
      robust: withStepRetry(quick),
    });
    const done = await (await durable(t)).perform(step, 1);
    assert.deepEqual(done.result, { call: 200, wait: 1, robust: 3 });
    assert.equal(done.seconds, 3);
    const groups = done.log.steps.filter(({ type }) => type === "parallel");
    assert.deepEqual(
      groups.map(({ steps }) => steps.map(({ stepName }) => stepName).toSorted()),
      [["call", "quick", "wait"]],
    );
  });

  test("the first failure is that of all", async () => {
    const broken = createStep("broken", () => Promise.reject(new Error("no")));
    await assert.rejects(createParallelStep("load", { slow, broken }).execute(1), { message: "no" });
    assert.throws(() => createParallelStep("load", {}), { code: "InvalidConfiguration" });
  });
});

describe("stubs within templates", () => {
  const real = (name) => createStep(name, () => assert.fail(`${name} is not to be called`));
  const call = createHttpStep("call", { url: (n) => `http://127.0.0.1:1/${n}` });
  const answering = ({ url }) => ({ status: 200, header: {}, body: url.slice(-1) });

  test("a step's stub stands for it for every element, one with an index for that", async () => {
    const thumb = real("thumb");
    const stubs = { thumb: (n) => `all ${n}`, "thumb[1]": (n) => `one ${n}`, "thumbs[0]": (n) => `first ${n}` };
    assert.deepEqual(await createMapStep(thumb).execute([1, 2, 3], { stubs }), ["all 1", "one 2", "all 3"]);
    const named = createMapStep(thumb, { name: "thumbs" });
    assert.deepEqual(await named.execute([1, 2], { stubs }), ["first 1", "all 2"]);
    const nested = createMapStep(named, { name: "rows" });
    assert.deepEqual(await nested.execute([[1, 2], [3]], { stubs }), [["first 1", "all 2"], ["first 3"]]);
    assert.deepEqual((await nested.execute([[1, 2]], { stubs: { thumb: stubs.thumb } }))[0], ["all 1", "all 2"]);
  });

  test("for requests, waits, messages, actions and parts too", async () => {
    const stubs = { call: answering, wait: () => {}, send: (n) => `sent ${n}`, half: (n) => n / 2 };
    const bodies = async (step) =>
      (await createMapStep(step, { name: "all" }).execute([1, 2], { stubs })).map((x) => x.body);
    assert.deepEqual(await bodies(call), ["1", "2"]);
    assert.deepEqual(await bodies(withStepRetry(call)), ["1", "2"]);
    const retried = withStepRetry(createMapStep(call, { name: "all" }));
    assert.deepEqual((await retried.execute([7], { stubs }))[0].body, "7");
    assert.deepEqual(await createMapStep(createDelayStep("wait", "1d"), { name: "all" }).execute([1], { stubs }), [1]);
    const send = notifyAction("send", { eventId: "e" });
    assert.deepEqual(await createMapStep(send).execute([1, 2], { stubs }), ["sent 1", "sent 2"]);
    const chain = compose(real("half"), real("send"));
    assert.deepEqual(await createMapStep(chain, { name: "all" }).execute([2, 4], { stubs }), ["sent 1", "sent 2"]);
  });

  test("a stub that fails is not tried again, as outside of a map", async () => {
    const calls = [];
    const stubs = {
      thumb: (n) => {
        calls.push(n);
        throw new Error("no");
      },
    };
    const robust = withStepRetry(real("thumb"), { maxAttempts: 3, backoffMs: 0 });
    await assert.rejects(robust.execute(1, { stubs }), { message: "no" });
    await assert.rejects(createMapStep(robust, { name: "all" }).execute([2], { stubs }), { message: "no" });
    assert.deepEqual(calls, [1, 2]);
  });

  test("a name of its own stands for the whole", async () => {
    const options = { stubs: { all: (list) => list.map((n) => -n) } };
    assert.deepEqual(await createMapStep(real("thumb"), { name: "all" }).execute([1, 2], options), [-1, -2]);
    const [a, b] = [real("a"), real("b")];
    const whole = { stubs: { both: (n) => ({ a: n, b: n }) } };
    assert.deepEqual(await createParallelStep("both", { a, b }).execute(1, whole), { a: 1, b: 1 });
    const parts = { stubs: { a: (n) => n, b: (n) => -n } };
    assert.deepEqual(await createParallelStep("a", [a, b]).execute(1, parts), [1, -1]);
    assert.deepEqual(await createMapStep(createParallelStep("both", [a, b]), { name: "all" }).execute([1], parts), [
      [1, -1],
    ]);
  });
});

describe("map", () => {
  /** Counts how many are at work. */
  function crowd() {
    const seen = { now: 0, most: 0, order: [] };
    const step = createStep("square", async (n) => {
      seen.now += 1;
      seen.most = Math.max(seen.most, seen.now);
      seen.order.push(n);
      await new Promise((resolve) => setTimeout(resolve, (5 - n) * 2));
      seen.now -= 1;
      return n * n;
    });
    return { seen, step };
  }

  test("results are in the order of the list, and each is a durable step", async (t) => {
    const { step } = crowd();
    const done = await both(t, createMapStep(step), [1, 2, 3, 4]);
    assert.deepEqual(done.result, [1, 4, 9, 16]);
    assert.deepEqual(done.steps.toSorted(), ["square[0]", "square[1]", "square[2]", "square[3]"]);
    assert.deepEqual((await both(t, createMapStep(step), [])).result, []);
  });

  for (const concurrency of [1, 2])
    test(`no more than ${concurrency} are worked on at once`, async (t) => {
      const { seen, step } = crowd();
      const map = createMapStep(step, { name: "squares", concurrency });
      assert.deepEqual(await map.execute([1, 2, 3, 4]), [1, 4, 9, 16]);
      assert.deepEqual([seen.most, seen.order], [concurrency, [1, 2, 3, 4]]);
      seen.most = 0;
      const done = await (await durable(t)).perform(map, [1, 2, 3, 4]);
      assert.deepEqual([done.state, done.result], ["RUN_SUCCESS", [1, 4, 9, 16]]);
      assert.ok(seen.most <= concurrency, `${seen.most} at once`);
      const names = done.steps.slice(1);
      assert.deepEqual(names.toSorted(), ["squares[0]", "squares[1]", "squares[2]", "squares[3]"]);
      assert.equal(seen.order.length, 8);
    });

  test("composed steps are parts of their element", async (t) => {
    const { step } = crowd();
    const map = createMapStep(
      compose(
        step,
        createStep("half", (n) => n / 2),
      ),
      { name: "each" },
    );
    const done = await both(t, map, [2, 4]);
    assert.deepEqual(done.result, [2, 8]);
    assert.deepEqual(done.steps.toSorted(), ["each[0] half", "each[0] square", "each[1] half", "each[1] square"]);
  });

  test("what can't be mapped is refused", async () => {
    const { step } = crowd();
    await assert.rejects(createMapStep(step).execute("text"), { code: "ValidationFailed" });
    for (const concurrency of [0, Number.NaN])
      assert.throws(() => createMapStep(step, { concurrency }), { code: "InvalidConfiguration" });
  });
});
