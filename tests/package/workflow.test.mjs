/** What `serve` does beyond the wire: settings, misuse, failing hosts. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe, mock, test } from "node:test";
import { inspect } from "node:util";

import { Client, memoryReplayStore, Receiver } from "@repo/orchestration/client";
import { serve, WorkflowRetryAfterError } from "@repo/orchestration/workflows";

import { failureCallback, lazy, NEXT_KEY, ran, resume, signed, trigger } from "../differential/delivery.mjs";
import { startRecorder } from "../differential/recorder.mjs";

let recorder;
let env;

before(async () => {
  recorder = await startRecorder();
  env = { QSTASH_URL: recorder.url, QSTASH_TOKEN: "token" };
});
after(() => recorder.close());

const request = ({ url, method, headers, body }) => new Request(url, { method, headers, body });

async function deliver(served, delivery) {
  recorder.reset(delivery.answers);
  const response = await served.handler(request(delivery));
  return { status: response.status, headers: response.headers, ...(await response.json()) };
}

const oneStep = async (context) => {
  await context.run("only", () => 1);
};

describe("the function", () => {
  test("runs once per invocation, and nothing after an unsettled step runs", async () => {
    const seen = [];
    const served = serve(
      async (context) => {
        seen.push("begin");
        try {
          await context.run("a", () => seen.push("a runs"));
          seen.push("after a");
          await context.run("b", () => seen.push("b runs"));
        } catch {
          seen.push("caught");
        } finally {
          seen.push("finally");
        }
        await context.run("c", () => seen.push("c runs"));
      },
      { env },
    );
    await deliver(served, resume());
    await deliver(served, resume([ran(1, "a", 1)]));
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(seen, ["begin", "a runs", "begin", "after a", "b runs"]);
  });

  test("may await other things between steps", async () => {
    const served = serve(
      async (context) => {
        await context.run("a", () => 1);
        await new Promise((resolve) => setTimeout(resolve, 5));
        await context.run("b", async () => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          return 2;
        });
      },
      { env },
    );
    assert.equal((await deliver(served, resume([ran(1, "a", 1)]))).status, 200);
    assert.match(recorder.requests[0].body, /\\"stepName\\":\\"b\\"/);
  });

  test("may forget a step: it still runs before the run ends", async () => {
    const served = serve(
      async (context) => {
        context.run("forgotten", () => 1);
        return "end";
      },
      { env },
    );
    await deliver(served, resume());
    assert.match(recorder.requests[0].body, /forgotten/);
    await deliver(served, resume([ran(1, "forgotten", 1)]));
    assert.deepEqual([recorder.requests[0].method, recorder.requests[0].body], ["DELETE", '"end"']);
  });

  test("may cancel the run inside a step", async () => {
    const served = serve(async (context) => context.run("a", () => context.cancel()), { env });
    assert.equal((await deliver(served, resume())).status, 200);
    assert.equal(recorder.requests[0].path, "/v2/workflows/runs/wfr_given?cancel=true");
  });

  test("many invocations at once do not mix", async () => {
    recorder.reset();
    const served = serve(async (context) => context.run("echo", () => context.requestPayload), { env });
    const runs = Array.from({ length: 200 }, (_, n) => resume([], { payload: String(n), runId: `wfr_${n}` }));
    await Promise.all(runs.map(async (run) => assert.equal((await served.handler(request(run))).status, 200)));
    for (const { body } of recorder.take()) {
      const [item] = JSON.parse(body);
      assert.equal(`wfr_${JSON.parse(item.body).out}`, item.headers["upstash-workflow-runid"]);
    }
  });
});

describe("misuse and bad settings are told in the answer", () => {
  const told = (name, options, delivery, expected) =>
    test(name, async () => {
      const { status, error, message } = await deliver(serve(oneStep, options()), delivery);
      assert.deepEqual([status, error], expected.slice(0, 2));
      assert.match(message, expected[2]);
    });

  told("no token", () => ({ env: {} }), resume(), [500, "InvalidConfiguration", /QSTASH_TOKEN/]);
  told("a region", () => ({ env: { ...env, QSTASH_REGION: "EU" } }), resume(), [
    500,
    "InvalidConfiguration",
    /QSTASH_REGION/,
  ]);
  told("an empty signing key", () => ({ env: { ...env, QSTASH_CURRENT_SIGNING_KEY: "" } }), resume(), [
    500,
    "EmptyKeySet",
    /signing key/,
  ]);
  told("a tolerance below zero", () => ({ env, clockTolerance: -1 }), resume(), [
    500,
    "InvalidConfiguration",
    /tolerance/,
  ]);

  test("a body that was read before", async () => {
    const read = request(resume());
    await read.text();
    const response = await serve(oneStep, { env }).handler(read);
    assert.equal(response.status, 500);
    assert.match((await response.json()).message, /body/i);
  });

  for (const [what, use, expected] of [
    ["a step without a name", (context) => context.run(undefined, () => 1), ["InvalidRequest", /name/]],
    ["a negative sleep", (context) => context.sleep("s", -1), ["InvalidDuration", /'s'/]],
    ["a sleep of no duration", (context) => context.sleep("s", "soon"), ["InvalidDuration", /soon/]],
    ["an endless sleep", (context) => context.sleep("s", Number.POSITIVE_INFINITY), ["InvalidDuration", /'s'/]],
    ["a step that is no function", (context) => context.run("s", 5), ["TypeError", /function/]],
  ]) {
    test(what, async () => {
      const { status, error, message } = await deliver(serve(use, { env }), resume());
      assert.deepEqual([status, error], [500, expected[0]]);
      assert.match(message, expected[1]);
      assert.deepEqual(recorder.requests, []);
    });
  }

  test("a step in a failure function", async () => {
    const served = serve(oneStep, { env, failureFunction: ({ context }) => context.run("late", () => 1) });
    const { status, error, message } = await deliver(served, failureCallback());
    assert.deepEqual([status, error], [500, "InvalidRequest"]);
    assert.match(message, /its run has ended/);
  });

  test("a workflow's result that is no JSON", async () => {
    const served = serve(async (context) => ({ big: BigInt(await context.run("a", () => 1)) }), { env });
    const { status, error, message } = await deliver(served, resume([ran(1, "a", 1)]));
    assert.deepEqual([status, error], [489, "NotSerializable"]);
    assert.match(message, /the workflow/);
  });

  test("a time to retry after that no header can carry", async () => {
    const served = serve(
      async () => {
        throw new WorkflowRetryAfterError("later", "明日\n");
      },
      { env },
    );
    const { status, headers } = await deliver(served, resume());
    assert.deepEqual([status, headers.get("retry-after")], [429, "??"]);
  });
});

describe("hosts that fail", () => {
  test("a broker that is down: the step is tried again later", async () => {
    const served = serve(oneStep, {
      env: { ...env, QSTASH_URL: "http://127.0.0.1:1" },
      qstashClient: { retry: false },
    });
    const { status, error } = await deliver(served, resume());
    assert.deepEqual([status, error], [500, "BrokerUnreachable"]);
  });

  test("a connection that breaks is tried again at once", async () => {
    let connections = 0;
    const flaky = createServer((incoming, response) => {
      connections += 1;
      if (connections < 3) return incoming.destroy();
      response.end('[{"messageId":"msg_1"}]');
    });
    await new Promise((resolve) => flaky.listen(0, "127.0.0.1", resolve));
    try {
      const baseUrl = `http://127.0.0.1:${flaky.address().port}`;
      const client = new Client({ baseUrl, token: "t", retry: { backoff: () => 1 } });
      assert.equal((await deliver(serve(oneStep, { env, qstashClient: client }), resume())).status, 200);
      assert.equal(connections, 3);
    } finally {
      flaky.close();
    }
  });

  test("no secret is logged or told, however much is logged", async () => {
    const lines = [];
    for (const level of ["log", "info", "warn", "error"]) {
      mock.method(console, level, (...logged) => lines.push(...logged.map((value) => inspect(value))));
    }
    const keys = { QSTASH_TOKEN: "secret-token", QSTASH_CURRENT_SIGNING_KEY: "sig_secret" };
    const served = serve(oneStep, { env: { ...env, ...keys }, verbose: true });
    const answers = [await deliver(served, signed(resume(), { key: "sig_secret" })), await deliver(served, resume())];
    mock.restoreAll();
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 401],
    );
    assert.match(lines.join("\n"), /step begins.*only.*Submitted step "only"/s);
    assert.doesNotMatch(lines.join("\n") + JSON.stringify(answers), /secret/);
  });
});

describe("the console", () => {
  test("names the run that an error belongs to, without middlewares too", async () => {
    const lines = [];
    mock.method(console, "error", (line) => lines.push(line));
    const broken = async () => {
      throw new Error("broken");
    };
    await deliver(serve(broken, { env }), resume([ran(1, "a", 1)], { runId: "wfr_1" }));
    mock.restoreAll();
    assert.match(lines.join("\n"), /^\[workflow\] wfr_\w+: Error: broken$/);
  });
});

describe("receivers that are asked themselves", () => {
  const url = "https://app.test/api/order";
  const asked = (verify) => serve(oneStep, { env, receiver: { verify } });

  test("one that is not of this package gets what it needs, and decides", async () => {
    const questions = [];
    const delivery = signed(resume(), {});
    const { headers, body } = delivery;
    const told = async (verdict) => {
      const served = asked(async (question) => {
        questions.push(question);
        return verdict();
      });
      const { status, error } = await deliver(served, { ...delivery, headers: { ...headers, "upstash-region": "us" } });
      return [status, error, recorder.requests.length];
    };
    assert.deepEqual(await told(() => true), [200, undefined, 1]);
    assert.deepEqual(await told(() => false), [403, "SignatureInvalid", 0]);
    assert.deepEqual(
      await told(() => {
        throw new Error("no");
      }),
      [403, "SignatureInvalid", 0],
    );
    const signature = headers["upstash-signature"];
    assert.deepEqual(questions[0], { signature, body, url, clockTolerance: undefined, upstashRegion: "us" });
  });

  test("a request without signature is not even asked about", async () => {
    const { status, error } = await deliver(
      asked(() => assert.fail()),
      resume(),
    );
    assert.deepEqual([status, error], [401, "SignatureMissing"]);
  });

  test("one with a replay guard serves a delivery once, and its retry", async () => {
    const receiver = new Receiver({ currentSigningKey: "sig_1", replayStore: memoryReplayStore() });
    const served = serve(oneStep, { env, receiver });
    const sign = (jti, claims = {}) => signed(resume(), { key: "sig_1", claims: { jti, ...claims } });
    assert.equal((await deliver(served, sign("jwt_1"))).status, 200);
    const { status, error } = await deliver(served, sign("jwt_1"));
    assert.deepEqual([status, error, recorder.requests.length], [403, "SignatureReplayed", 0]);
    assert.equal((await deliver(served, sign("jwt_2"))).status, 200);
    assert.equal((await deliver(served, sign("jwt_3", { sub: "https://app.test/other" }))).error, "SignatureSubject");
    assert.equal((await deliver(served, sign("jwt_3"))).status, 200, "what is refused is not remembered");
  });
});

describe("large bodies, hashed by Web Crypto", () => {
  const keys = () => ({ env: { ...env, QSTASH_CURRENT_SIGNING_KEY: "sig_1", QSTASH_NEXT_SIGNING_KEY: NEXT_KEY } });
  const large = resume([], { payload: JSON.stringify("é".repeat(200_000)) });

  test("signed", async () => {
    assert.equal((await deliver(serve(oneStep, keys()), signed(large, { key: NEXT_KEY }))).status, 200);
  });

  test("tampered with", async () => {
    const { body } = resume([], { payload: JSON.stringify("e".repeat(200_000)) });
    const { status, error } = await deliver(serve(oneStep, keys()), { ...signed(large, { key: NEXT_KEY }), body });
    assert.deepEqual([status, error], [403, "SignatureBody"]);
  });
});

test("Workers' two forms of fetch, and the bindings that come with them", async () => {
  recorder.reset();
  const seen = [];
  const served = serve(async (context) => context.run("look", () => void seen.push(context.env.OWN)));
  await served.fetch(request(resume()), { ...env, OWN: "one" }, {});
  await served.fetch({ request: request(resume()), env: { ...env, OWN: "two" } });
  assert.deepEqual(seen, ["one", "two"]);
});

test("a history that has to be fetched", async () => {
  const runs = { wfr_given: [{ messageId: "msg_0", body: btoa('{"orderId":1}'), callType: "step" }] };
  assert.equal((await deliver(serve(oneStep, { env }), lazy({ messageId: "msg_0", runs }))).status, 200);
  assert.deepEqual(
    recorder.requests.map(({ method }) => method),
    ["GET", "POST"],
  );
});

test("what a parser makes of the payload need not be JSON: the run keeps what came", async () => {
  const served = serve(oneStep, { env, initialPayloadParser: () => 1n });
  assert.equal((await deliver(served, trigger("<order/>"))).status, 200);
  assert.equal(JSON.parse(recorder.requests[0].body)[0].body, "<order/>");
});
