/** What the official SDK lacks: races, policies of a step, compensations, patches, repeatable time and randomness. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import {
  StepTimeoutError,
  serve,
  WorkflowCallError,
  WorkflowNonRetryableError,
  WorkflowRetryAfterError,
  WorkflowStepError,
} from "@repo/orchestration/workflows";
import { Client as OfficialClient } from "@upstash/qstash";

import { failureCallback, resume, trigger } from "../differential/delivery.mjs";
import { startRecorder } from "../differential/recorder.mjs";
import { play, stepsOf } from "./replayer.mjs";

let recorder;
let env;

before(async () => {
  recorder = await startRecorder();
  env = { QSTASH_URL: recorder.url, QSTASH_TOKEN: "token" };
});
after(() => recorder.close());

const run = (route, { options = {}, ...rest } = {}) => play(serve(route, { env, ...options }), recorder, rest);
const statuses = ({ answers }) => answers.map(([status]) => status);

describe("races", () => {
  const race = (seen) => async (context) => {
    const winner = await Promise.race([
      context.run("work", () => "work"),
      context.sleep("limit", 60).then(() => "limit"),
    ]);
    await context.run("note", () => seen.push(winner));
    return winner;
  };

  test("the winner goes on at once, and is the same in every invocation", async () => {
    const seen = [];
    const { end, result, seconds } = await run(race(seen));
    assert.deepEqual([end, result, seen], ["success", "work", ["work"]]);
    assert.ok(seconds < 60, `ended after ${seconds} s`);
  });

  test("a later result of the loser changes nothing", async () => {
    const seen = [];
    const first = await run(race(seen));
    // The loser's result comes before the last step is delivered again.
    const { answers, result } = await run(race(seen), { from: first.history.slice(1) });
    assert.deepEqual([result, statuses({ answers })], ["work", [200]]);
    assert.deepEqual(seen, ["work"]);
  });

  test("Promise.any passes over a step that failed for good", async () => {
    const { result } = await run(async (context) =>
      Promise.any([
        context.run("broken", () => Promise.reject(new Error("no")), { retries: 0 }),
        context.run("whole", () => "whole"),
      ]),
    );
    assert.equal(result, "whole");
  });

  test("branches keep their own pace", async () => {
    const { result, seconds } = await run(async (context) => {
      const slow = async () => {
        await context.sleep("slow", 100);
        return "slow";
      };
      const quick = async () => {
        await context.run("one", () => 1);
        await context.run("two", () => 2);
        return await context.run("three", () => "quick");
      };
      const first = await Promise.race([slow(), quick()]);
      await context.run("end", () => {});
      return first;
    });
    assert.equal(result, "quick");
    assert.ok(seconds < 100, `ended after ${seconds} s`);
  });
});

describe("a step's own policy", () => {
  const failing = (times, error = new Error("flaky")) => {
    let calls = 0;
    return () => {
      calls += 1;
      if (calls <= times) throw error;
      return calls;
    };
  };

  test("retries wait durably and leave the run's own alone", async () => {
    const flaky = failing(2);
    const done = await run((context) => context.run("flaky", flaky, { retries: 3, retryDelay: "30s" }));
    assert.deepEqual([done.end, done.result, done.seconds], ["success", 3, 60]);
    assert.deepEqual(stepsOf(done), ["flaky failed", "flaky failed", "flaky"]);
    assert.ok(statuses(done).every((status) => status === 200));
  });

  test("the last failure can be caught", async () => {
    const done = await run(async (context) => {
      try {
        await context.run("broken", failing(9, new TypeError("no")), { retries: 1, retryDelay: 1000 });
      } catch (error) {
        assert.ok(error instanceof WorkflowStepError);
        return [error.name, error.stepName, error.cause.name, error.message, error.retryable];
      }
    });
    assert.deepEqual(done.result, ["WorkflowStepError", "broken", "TypeError", "no", false]);
  });

  test("uncaught it fails the run at once", async () => {
    const done = await run((context) => context.run("broken", failing(9, new TypeError("no")), { retries: 0 }));
    assert.deepEqual([done.end, statuses(done)], ["failed", [200, 489]]);
    assert.deepEqual([done.answers[1][1].error, done.answers[1][1].message], ["TypeError", "no"]);
  });

  test("an error that forbids retries is final at once", async () => {
    const done = await run((context) =>
      context.run("never", failing(9, new WorkflowNonRetryableError("never")), { retries: 5 }),
    );
    assert.deepEqual([done.end, stepsOf(done)], ["failed", ["never"]]);
  });

  for (const retries of [0, 5]) {
    test(`with ${retries} retries such an error can be caught`, async () => {
      let calls = 0;
      const done = await run(async (context) => {
        const never = () => {
          calls += 1;
          throw new WorkflowNonRetryableError("never");
        };
        const caught = await context.run("never", never, { retries }).catch((error) => error);
        assert.ok(caught instanceof WorkflowStepError);
        return await context.run("tell", () => [caught.cause.name, caught.message]);
      });
      assert.deepEqual([done.end, done.result, calls], ["success", ["WorkflowNonRetryableError", "never"], 1]);
      assert.ok(statuses(done).every((status) => status === 200));
    });
  }

  test("the function is told which try it is, and says how long the next one waits", async () => {
    const seen = [];
    const done = await run(async (context) => {
      const paced = ({ attempt, signal }) => {
        seen.push([attempt, signal.aborted]);
        if (attempt === 0) throw new WorkflowRetryAfterError("slowly", 7);
        if (attempt === 1) throw new Error("not yet");
        if (attempt === 2) throw new WorkflowRetryAfterError("slowly", "2m");
        return attempt;
      };
      const first = await context.run("first", ({ attempt }) => attempt, { timeout: "1h" });
      return [first, await context.run("paced", paced, { retries: 3, retryDelay: "30s" })];
    });
    assert.deepEqual([done.result, done.seconds], [[0, 3], 7 + 30 + 120]);
    assert.deepEqual(
      seen,
      [0, 1, 2, 3].map((attempt) => [attempt, false]),
    );
  });

  test("a timeout tells of the try too, and without retries counts none", async () => {
    const seen = [];
    const done = await run(async (context) => {
      const slow = ({ attempt }) => (seen.push(attempt) < 3 ? new Promise(() => {}) : attempt);
      return [
        await context.run("own", slow, { retries: 2, retryDelay: "1s", timeout: 0.01 }),
        await context.run("delivery", slow, { timeout: 0.01 }),
      ];
    });
    assert.deepEqual(
      [done.result, seen],
      [
        [2, 0],
        [0, 1, 2, 0],
      ],
    );
  });

  test("branches are told of their own tries", async () => {
    const done = await run((context) => {
      const branch = (name, fails) => {
        const tries = ({ attempt }) => {
          if (attempt < fails) throw new Error("not yet");
          return attempt;
        };
        return context.run(name, tries, { retries: 5, retryDelay: "1s" });
      };
      return Promise.all([branch("none", 0), branch("two", 2), branch("one", 1)]);
    });
    assert.deepEqual([done.end, done.result], ["success", [0, 2, 1]]);
  });

  test("a timeout aborts the signal and fails the try", async () => {
    let reason;
    const done = await run(async (context) => {
      try {
        await context.run(
          "slow",
          ({ signal }) =>
            new Promise(() => {
              signal.addEventListener("abort", () => {
                reason = signal.reason;
              });
            }),
          { retries: 0, timeout: 0.01 },
        );
      } catch (error) {
        return [error.cause.name, error.message];
      }
    });
    assert.deepEqual(done.result, ["StepTimeoutError", "step 'slow' took longer than 0.01 s"]);
    assert.ok(reason instanceof StepTimeoutError);
  });

  test("a function in time leaves no timer behind, and its signal alone", async () => {
    let kept;
    const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === "Timeout");
    const before = timers();
    const done = await run((context) =>
      context.run(
        "quick",
        ({ signal }) => {
          kept = signal;
          return 1;
        },
        { timeout: "1h" },
      ),
    );
    assert.deepEqual([done.result, kept.aborted], [1, false]);
    // An hour's timer would keep the process from ending, and be seen here.
    assert.deepEqual(timers(), before);
  });

  test("a timeout without retries of its own is tried again with the delivery", async () => {
    let calls = 0;
    const done = await run((context) =>
      context.run("slow at first", () => (calls++ === 0 ? new Promise(() => {}) : calls), { timeout: 0.01 }),
    );
    assert.deepEqual([done.result, statuses(done)], [2, [500, 200, 200]]);
  });

  for (const [what, options, code] of [
    ["retries that are no count", { retries: -1 }, "InvalidRequest"],
    ["a timeout that is no duration", { timeout: "soon" }, "InvalidDuration"],
    ["a timeout below zero", { timeout: -1 }, "InvalidRequest"],
    ["an endless timeout", { timeout: Number.POSITIVE_INFINITY }, "InvalidDuration"],
    ["an expression that can't be read", { retryDelay: "soon" }, "InvalidExpression"],
    ["an option that there is not", { retry: 1 }, "InvalidRequest"],
  ]) {
    test(`refuses ${what}`, async () => {
      const done = await run((context) => context.run("s", () => 1, options), { most: 1 });
      assert.deepEqual([done.answers[0][0], done.answers[0][1].error], [500, code]);
    });
  }
});

describe("what callers without types forget", () => {
  test("is named", async () => {
    for (const [ask, expected] of [
      [(context) => context.call("c"), "call needs its url, got undefined"],
      [(context) => context.invoke("i", {}), "invoke needs its workflow, got undefined"],
      [(context) => context.waitForWebhook("w"), "waitForWebhook needs its webhook, got undefined"],
    ]) {
      const errors = [];
      await run(async (context) => {
        await ask(context).catch((error) => errors.push(error));
        await context.run("end", () => 1);
      });
      assert.deepEqual([errors[0].code, errors[0].message], ["InvalidRequest", expected]);
    }
  });
});

describe("compensations", () => {
  const order = (seen, ending) => async (context) => {
    await context.run("reserve", () => "r1", { compensate: (id) => seen.push(`release ${id}`) });
    await context.run("charge", () => "c1", { compensate: (id) => seen.push(`refund ${id}`) });
    await ending(context);
    return "done";
  };

  test("run last first, as steps, when the run fails", async () => {
    const seen = [];
    const done = await run(
      order(seen, (context) => context.run("ship", () => Promise.reject(new Error("no truck")), { retries: 0 })),
    );
    assert.deepEqual([done.end, seen], ["failed", ["refund c1", "release r1"]]);
    assert.deepEqual(stepsOf(done), ["reserve", "charge", "ship", "compensate charge", "compensate reserve"]);
    const [status, { message }] = done.answers.at(-1);
    assert.deepEqual([status, message], [489, "no truck"]);
  });

  const broken = () => {
    throw new Error("broken");
  };

  test("run when the workflow itself throws, at once: there may be no other try", async () => {
    for (const retries of [0, 3]) {
      const seen = [];
      const done = await run(order(seen, broken), { retries });
      assert.deepEqual([done.end, seen], ["failed", ["refund c1", "release r1"]]);
      assert.ok(!statuses(done).includes(500));
    }
  });

  test("run when the workflow itself has thrown as often as the endpoint says", async () => {
    const seen = [];
    const done = await run(order(seen, broken), { options: { retries: 2 } });
    assert.deepEqual([done.end, seen], ["failed", ["refund c1", "release r1"]]);
    assert.equal(statuses(done).filter((status) => status === 500).length, 2);
  });

  test("run when the run cancels itself", async () => {
    const seen = [];
    const done = await run(order(seen, (context) => context.cancel()));
    assert.deepEqual([done.end, seen], ["cancelled", ["refund c1", "release r1"]]);
  });

  test("don't run when the run succeeds", async () => {
    const seen = [];
    const done = await run(order(seen, (context) => context.sleep("wait", 1)));
    assert.deepEqual([done.end, done.result, seen], ["success", "done", []]);
  });

  test("are tried again when they fail, and the rest follows", async () => {
    const seen = [];
    let failures = 0;
    const done = await run(async (context) => {
      await context.run("reserve", () => "r1", { compensate: (id) => seen.push(`release ${id}`) });
      await context.run("charge", () => "c1", {
        compensate: () => {
          if (failures++ < 1) throw new Error("bank is closed");
          seen.push("refund");
        },
      });
      throw new WorkflowNonRetryableError("no");
    });
    assert.deepEqual([done.end, seen], ["failed", ["refund", "release r1"]]);
  });

  test("that fail for good don't keep the others from running", async () => {
    const seen = [];
    const done = await run(async (context) => {
      await context.run("reserve", () => "r1", { compensate: (id) => seen.push(`release ${id}`) });
      const compensate = () => Promise.reject(new WorkflowNonRetryableError("the bank is gone"));
      await context.run("charge", () => "c1", { compensate });
      throw new WorkflowNonRetryableError("no truck");
    });
    assert.deepEqual([done.end, seen], ["failed", ["release r1"]]);
    assert.equal(done.answers.at(-1)[1].message, "no truck");
  });

  test("make up for the branches of a group that were done", async () => {
    const seen = [];
    const done = await run(async (context) => {
      const branch = (name) => context.run(name, () => name, { compensate: (id) => seen.push(id) });
      await Promise.all([branch("a"), branch("b")]);
      throw new WorkflowNonRetryableError("no");
    });
    assert.equal(done.end, "failed");
    assert.deepEqual(seen.toSorted(), ["a", "b"]);
  });
});

describe("calls that expect something", () => {
  const asking = (expect, answer) =>
    run(
      async (context) => {
        try {
          const { body } = await context.call("rates", { url: "https://third.test", expect });
          return body;
        } catch (error) {
          assert.ok(error instanceof WorkflowCallError);
          return [error.name, error.stepName, error.status, error.body, error.header];
        }
      },
      { third: () => answer },
    );
  const header = { "content-type": ["application/json"] };
  const refused = { status: 404, header, body: '{"error":"gone"}' };

  for (const [what, expect] of [
    ["2xx", "2xx"],
    ["one status", 200],
    ["several", [200, 201]],
    ["a predicate", (response) => response.status < 300],
  ]) {
    test(what, async () => {
      assert.deepEqual((await asking(expect, { header, body: '{"rate":1}' })).result, { rate: 1 });
      const expected = ["WorkflowCallError", "rates", 404, { error: "gone" }, header];
      assert.deepEqual((await asking(expect, refused)).result, expected);
    });
  }

  for (const expect of ["3xx", "200", [], [200, "x"], null]) {
    test(`${JSON.stringify(expect)} is refused before the call is made`, async () => {
      const done = await run(async (context) => {
        const refusal = await context
          .call("rates", { url: "https://third.test", expect })
          .catch((error) => error.message);
        return context.run("refusal", () => refusal);
      });
      assert.match(done.result, /^the option expect must be/);
      assert.deepEqual(stepsOf(done), ["refusal"]);
    });
  }

  test("without it every answer is a result", async () => {
    assert.deepEqual((await asking(undefined, refused)).result, { error: "gone" });
  });

  test("uncaught the run fails at once", async () => {
    const done = await run((context) => context.call("rates", { url: "https://third.test", expect: "2xx" }), {
      third: () => refused,
    });
    const [status, { error, message }] = done.answers.at(-1);
    assert.deepEqual([done.end, status, error], ["failed", 489, "WorkflowCallError"]);
    assert.match(message, /'rates'.*404/);
  });

  test("a predicate that throws fails the workflow as its own code would", async () => {
    const expect = () => {
      throw new RangeError("mine");
    };
    const done = await run((context) => context.call("rates", { url: "https://third.test", expect }), { retries: 0 });
    assert.equal(done.answers.at(-1)[1].error, "RangeError");
  });
});

test("a call's body may be bytes: they travel untouched", async () => {
  const bytes = new Uint8Array([0, 255, 128, 10]);
  recorder.reset();
  const { fetch } = globalThis;
  let sent;
  globalThis.fetch = (url, init) => {
    sent = [String(url), new Uint8Array(init.body)];
    return fetch(url, init);
  };
  try {
    const served = serve(
      (context) => context.call("put", { url: "https://third.test/x", method: "PUT", body: bytes.buffer }),
      { env },
    );
    const { url, method, headers, body } = resume();
    assert.equal((await served.handler(new Request(url, { method, headers, body }))).status, 200);
  } finally {
    globalThis.fetch = fetch;
  }
  assert.deepEqual(sent, [`${recorder.url}/v2/publish/https://third.test/x`, bytes]);
});

describe("patch", () => {
  const old = (seen) => async (context) => {
    await context.run("a", () => 1);
    await context.run("b", () => seen.push("old b"));
  };
  const patched = (seen) => async (context) => {
    await context.run("a", () => 1);
    if (await context.patch("new b")) await context.run("new b", () => seen.push("new b"));
    else await context.run("b", () => seen.push("old b"));
    await context.run("c", () => seen.push("c"));
  };

  test("runs that come there take the new way", async () => {
    const seen = [];
    const done = await run(patched(seen));
    assert.deepEqual([done.end, seen], ["success", ["new b", "c"]]);
    assert.deepEqual(stepsOf(done), ["a", "patch:new b", "new b", "c"]);
  });

  test("runs that were past it keep the old", async () => {
    const seen = [];
    const begun = await run(old(seen), { most: 2 });
    assert.deepEqual(stepsOf(begun), ["a", "b"]);
    const done = await run(patched(seen), { from: begun.history.slice(1) });
    assert.deepEqual([done.end, seen], ["success", ["old b", "c"]]);
  });

  test("the first answer holds wherever the run asks again", async () => {
    const loop = async (context) => {
      const taken = [];
      for (const name of ["a", "b"]) {
        taken.push(await context.patch("loop"));
        await context.run(name, () => 1);
      }
      return taken;
    };
    const started = await run(loop);
    assert.deepEqual(started.result, [true, true]);
    assert.deepEqual(stepsOf(started), ["patch:loop", "a", "b"]);

    const begun = await run((context) => context.run("a", () => 1), { most: 2 });
    const done = await run(loop, { from: begun.history.slice(1) });
    assert.deepEqual([done.end, done.result], ["success", [false, false]]);
  });
});

describe("repeatable", () => {
  test("time, randomness and ids are the same in every invocation", async () => {
    const seen = [];
    const done = await run(async (context) => {
      const drawn = [context.random(), context.uuid(), context.now()];
      await context.run("a", () => 1);
      drawn.push(context.random(), context.uuid(), context.now());
      seen.push(drawn);
      await context.run("b", () => 1);
    });
    assert.equal(done.end, "success");
    assert.equal(seen.length, 2);
    assert.deepEqual(seen[0].slice(0, 5), seen[1].slice(0, 5));
    const [random, uuid, now, other, another] = seen[0];
    assert.ok(random >= 0 && random < 1 && random !== other && uuid !== another);
    assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.ok(Math.abs(now - Date.now()) < 60_000);
  });

  test("the time that was told before a step is remembered with it", async () => {
    const told = [];
    const { now } = Date;
    let clock = 1_700_000_000_000;
    Date.now = () => {
      clock += 1000;
      return clock;
    };
    try {
      await run(async (context) => {
        told.push(context.now());
        await context.sleep("later", 10);
        await context.run("end", () => {});
      });
    } finally {
      Date.now = now;
    }
    assert.equal(new Set(told).size, 1);
    assert.equal(told.length, 3);
  });
});

describe("authorize", () => {
  const post = async (served, { url, method, headers, body }) => {
    recorder.reset();
    const response = await served.handler(new Request(url, { method, headers, body }));
    return [response.status, await response.json(), recorder.take().length];
  };
  const oneStep = async (context) => {
    await context.run("only", () => 1);
  };

  test("false is answered with 403, and nothing is sent", async () => {
    const served = serve(oneStep, { env, authorize: () => false });
    const [status, { error }, sent] = await post(served, trigger("{}"));
    assert.deepEqual([status, error, sent], [403, "Refused", 0]);
  });

  test("a response is the answer", async () => {
    const served = serve(oneStep, { env, authorize: async () => Response.json({ login: true }, { status: 401 }) });
    assert.deepEqual(await post(served, resume()), [401, { login: true }, 0]);
  });

  test("is asked on every request, and may read the body", async () => {
    const bodies = [];
    const authorize = async (request) => {
      bodies.push(await request.text());
      return request.headers.get("x-key") === "k";
    };
    const served = serve(oneStep, { env, authorize });
    const headers = { "x-key": "k" };
    assert.equal((await post(served, trigger('{"n":1}', { headers })))[0], 200);
    assert.equal((await post(served, resume([], { headers })))[0], 200);
    assert.equal((await post(served, resume([])))[0], 403);
    assert.equal(bodies[0], '{"n":1}');
    assert.equal(bodies.length, 3);
  });

  test("a workflow may then return early, or have no step", async () => {
    const served = serve(async () => "nothing to do", { env, authorize: () => true });
    assert.equal((await post(served, trigger("{}")))[0], 200);
    const done = await play(served, recorder);
    assert.deepEqual([done.end, done.result], ["success", "nothing to do"]);
  });

  test("a failure function then runs whatever the workflow returns", async () => {
    const served = serve(async () => {}, { env, authorize: () => true, failureFunction: () => "told" });
    assert.deepEqual((await post(served, failureCallback())).slice(0, 2), [200, { result: "told" }]);
  });

  test("an error in it is told", async () => {
    const authorize = () => {
      throw new Error("no session store");
    };
    const [status, { message }] = await post(serve(oneStep, { env, authorize }), resume());
    assert.deepEqual([status, message], [500, "no session store"]);
  });
});

describe("schema", () => {
  const standard = (validate) => ({ "~standard": { version: 1, vendor: "test", validate } });
  const isOrder = (value) =>
    typeof value?.orderId === "number"
      ? { value: { ...value, checked: true } }
      : {
          issues: [
            { message: "expected a number", path: ["orderId"] },
            { message: "odd", path: [{ key: "a" }, 0] },
          ],
        };
  const route = (context) => context.run("look", () => context.requestPayload);

  for (const [what, schema] of [
    ["sync", standard(isOrder)],
    ["async", standard(async (value) => isOrder(value))],
  ]) {
    test(`Standard Schema, ${what}`, async () => {
      const done = await run(route, { payload: '{"orderId":1}', options: { schema } });
      assert.deepEqual(done.result, { orderId: 1, checked: true });
      const refused = await run(route, { payload: '{"orderId":"1"}', options: { schema } });
      const [status, { error, message }] = refused.answers[0];
      assert.deepEqual([status, error], [489, "WorkflowNonRetryableError"]);
      assert.equal(message, "the payload does not fit the schema: orderId: expected a number; a.0: odd");
    });
  }

  test("parse, as zod 3 has it", async () => {
    const schema = {
      parse() {
        throw Object.assign(new Error("long"), { issues: [{ message: "Required", path: ["orderId"] }] });
      },
    };
    const refused = await run(route, { options: { schema } });
    assert.match(refused.answers[0][1].message, /: orderId: Required$/);
  });

  test("a schema that changes the payload sees what came in every invocation", async () => {
    const done = await run(
      async (context) => {
        const first = await context.run("a", () => context.requestPayload);
        return [first, await context.run("b", () => context.requestPayload)];
      },
      { payload: "five", options: { schema: standard((value) => ({ value: { text: value } })) } },
    );
    assert.deepEqual(done.result, [{ text: "five" }, { text: "five" }]);
  });
});

describe("a client of the official SDK", () => {
  const served = (config) =>
    serve((context) => context.run("only", () => typeof context.qstashClient.publishJSON), {
      env: {},
      qstashClient: new OfficialClient({ baseUrl: recorder.url, token: "theirs", ...config }),
    });

  test("tells where steps go, with its token and headers", async () => {
    const done = await play(served({ headers: { "x-bypass": "b" } }), recorder, { most: 1 });
    assert.deepEqual(statuses(done), [200]);
    const [{ headers, body }] = done.sent;
    assert.ok(headers.some(([name, value]) => name.toLowerCase() === "authorization" && value === "Bearer theirs"));
    assert.equal(JSON.parse(body)[0].headers["upstash-forward-x-bypass"], "b");
  });

  test("is the context's", async () => {
    assert.equal((await play(served(), recorder)).result, "function");
  });

  test("something else is refused", async () => {
    const { url, method, headers, body } = resume();
    const wrong = serve(async () => {}, { env, qstashClient: { http: {} } });
    const response = await wrong.handler(new Request(url, { method, headers, body }));
    assert.deepEqual([response.status, (await response.json()).error], [500, "InvalidConfiguration"]);
  });
});

test("a delivery's region chooses where its steps go", async () => {
  const other = await startRecorder();
  try {
    const regional = {
      QSTASH_REGION: "EU_CENTRAL_1",
      EU_CENTRAL_1_QSTASH_URL: recorder.url,
      EU_CENTRAL_1_QSTASH_TOKEN: "eu",
      US_EAST_1_QSTASH_URL: other.url,
      US_EAST_1_QSTASH_TOKEN: "us",
    };
    const served = serve((context) => context.run("only", () => 1), { env: regional });
    const sent = async (region) => {
      recorder.reset();
      other.reset();
      const { url, method, headers, body } = resume([], { headers: { "upstash-region": region } });
      assert.equal((await served.handler(new Request(url, { method, headers, body }))).status, 200);
      return [recorder.take().length, other.take().length];
    };
    assert.deepEqual(await sent("US-EAST-1"), [0, 1]);
    assert.deepEqual(await sent("EU_CENTRAL_1"), [1, 0]);
    assert.deepEqual(await sent(undefined), [1, 0]);
    assert.deepEqual(await sent("MARS"), [1, 0]);
  } finally {
    await other.close();
  }
});
