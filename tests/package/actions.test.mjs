/** Ready-made steps: in this process, by stubs, and as durable steps of runs on the embedded broker. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";

import { compose, withStepRetry } from "@repo/orchestration";
import {
  delayAction,
  emailAction,
  enqueueAction,
  httpAction,
  llmAction,
  notifyAction,
  OrchestrationError,
  publishAction,
  redisAction,
  redisCommands,
  WorkflowCallError,
} from "@repo/orchestration/actions";
import { Client, Receiver } from "@repo/orchestration/client";
import { serve } from "@repo/orchestration/workflows";

import { startRecorder } from "../differential/recorder.mjs";
import { embedded, SDKS, server, serving, until } from "../node-host/support.mjs";
import { createCompiler } from "./compiler.mjs";
import { play, stepsOf } from "./replayer.mjs";

const TOKEN = "tkn-0123456789-sentinel";
const JSON_HEADER = { "content-type": ["application/json"] };
const json = (body, status = 200) => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

/** A Standard Schema of objects whose member `name` is of `type`. */
const having = (name, type) => ({
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) =>
      typeof value?.[name] === type ? { value } : { issues: [{ message: `no ${type}`, path: [name] }] },
  },
});

/** What an error shows of itself in any way. */
const shown = (error) =>
  [inspect(error, { depth: 9, showHidden: true }), String(error), error.stack, JSON.stringify(error)].join("\n");

/** What a Redis with Upstash's REST interface is asked; `answers` by the command's name. */
const redisServer = (t, answers) =>
  server(t, ({ body, headers }) => {
    if (headers.authorization !== `Bearer ${TOKEN}`) return json({ error: "Unauthorized" }, 401);
    const [command] = JSON.parse(body);
    return command in answers
      ? json({ result: answers[command] })
      : json({ error: `ERR unknown command '${command}'` }, 400);
  });
const commandsOf = ({ requests }) => requests.map(({ body }) => JSON.parse(body));

describe("a request", () => {
  test("its parts may be functions of the input", async (t) => {
    const { url, requests } = await server(t, () => json({ charged: true }));
    const charge = httpAction("charge", {
      url: ({ id }) => `${url}/orders/${id}?a=b#part`,
      method: "PUT",
      query: ({ id }) => ({ id, "with space": "ä&", none: undefined }),
      headers: { "x-kind": "test" },
      body: ({ id }) => ({ id }),
      token: () => TOKEN,
    });
    const { status, body, headers } = await charge.execute({ id: 7 });
    assert.deepEqual([status, body, headers["content-type"]], [200, { charged: true }, "application/json"]);
    const [request] = requests;
    assert.equal(request.url, "/orders/7?a=b&id=7&with+space=%C3%A4%26");
    assert.equal(request.method, "PUT");
    assert.equal(request.headers.authorization, `Bearer ${TOKEN}`);
    assert.equal(request.headers["content-type"], "application/json");
    assert.equal(request.headers["x-kind"], "test");
    assert.equal(String(request.body), '{"id":7}');
  });

  test("the method follows from the body, text and bytes travel as they are", async (t) => {
    const { url, requests } = await server(t, () => ({ body: "plain" }));
    assert.equal((await httpAction("get", { url }).execute()).body, "plain");
    await httpAction("text", { url, body: "a text", headers: { "Content-Type": "text/x" } }).execute();
    await httpAction("bytes", { url, body: new Uint8Array([0, 255]) }).execute();
    await httpAction("list", { url, body: [1], headers: { "content-type": "application/x+json" } }).execute();
    assert.deepEqual(
      requests.map(({ method, body }) => [method, body.toString("latin1")]),
      [
        ["GET", ""],
        ["POST", "a text"],
        ["POST", "\0ÿ"],
        ["POST", "[1]"],
      ],
    );
    assert.deepEqual(
      [requests[1], requests[3]].map(({ headers }) => headers["content-type"]),
      ["text/x", "application/x+json"],
    );
  });

  test("an answer other than 2xx rejects, unless it is expected", async (t) => {
    const { url } = await server(t, () => json({ problem: "out of stock" }, 409));
    await assert.rejects(httpAction("charge", { url }).execute(), (error) => {
      assert.ok(error instanceof WorkflowCallError && error instanceof OrchestrationError);
      assert.deepEqual(
        [error.code, error.status, error.body, error.stepName],
        ["CallFailed", 409, { problem: "out of stock" }, "charge"],
      );
      assert.match(error.message, /'charge' was answered with status 409.*out of stock/);
      return true;
    });
    assert.equal((await httpAction("charge", { url, expect: [200, 409] }).execute()).status, 409);
    assert.equal((await httpAction("charge", { url, expect: ({ status }) => status > 400 }).execute()).status, 409);
  });

  test("the answer has to fit the schema", async (t) => {
    const { url } = await server(t, () => json({ total: "12" }));
    assert.equal((await httpAction("sum", { url, response: having("total", "string") }).execute()).body.total, "12");
    await assert.rejects(httpAction("sum", { url, response: having("total", "number") }).execute(), {
      name: "WorkflowCallError",
      code: "CallFailed",
      status: 200,
      message: `the answer of 'sum' is not understood: it does not fit its schema: total: no number: {"total":"12"}`,
    });
  });

  test("no token gets into an error, also if the server repeats it", async (t) => {
    const { url } = await server(t, ({ headers }) => ({
      ...json({ error: "bad token", got: headers.authorization, key: headers["x-api-key"] }, 401),
      headers: { "set-cookie": `session=${TOKEN}`, "content-type": "application/json" },
    }));
    const failing = httpAction("guarded", { url, token: TOKEN, headers: { "X-Api-Key": "other-0123456789-sentinel" } });
    await assert.rejects(failing.execute(), (error) => {
      assert.match(error.message, /bad token/);
      assert.doesNotMatch(shown(error), /sentinel/);
      return true;
    });
    const gone = httpAction("gone", { url: "http://127.0.0.1:1/", token: TOKEN });
    await assert.rejects(gone.execute(), (error) => !/sentinel/.test(shown(error)));
    await assert.rejects(httpAction("broken", { url, token: `${TOKEN}\n` }).execute(), (error) => {
      assert.doesNotMatch(shown(error), /sentinel/);
      return true;
    });
  });

  test("a signal ends it, and its retries are those of withStepRetry", async (t) => {
    const { url, requests } = await server(t, (_, count) => (count < 3 ? { status: 503 } : json("done")));
    const robust = withStepRetry(httpAction("robust", { url }), { maxAttempts: 3, backoffMs: 1 });
    assert.equal((await robust.execute()).body, "done");
    assert.equal(requests.length, 3);
    await assert.rejects(
      httpAction("ended", { url }).execute(undefined, { signal: AbortSignal.abort(new Error("enough")) }),
      /enough/,
    );
  });
});

describe("an e-mail", () => {
  const welcome = (baseURL, options = {}) =>
    emailAction("welcome", {
      from: "shop@shop.test",
      to: ({ email }) => [email],
      subject: "Welcome",
      html: ({ name }) => `<p>${name}</p>`,
      baseURL,
      ...options,
    });

  test("goes to Resend once, with the key of the environment", async (t) => {
    const { url, requests } = await server(t, () => json({ id: "e1", more: true }));
    const sent = await welcome(`${url}/`).execute(
      { email: "ann@a.test", name: "Ann" },
      { env: { RESEND_API_KEY: TOKEN } },
    );
    assert.deepEqual(sent, { id: "e1" });
    assert.equal(requests[0].url, "/emails");
    assert.equal(requests[0].headers.authorization, `Bearer ${TOKEN}`);
    assert.match(requests[0].headers["idempotency-key"], /^[0-9a-f-]{36}$/);
    assert.deepEqual(JSON.parse(requests[0].body), {
      from: "shop@shop.test",
      to: ["ann@a.test"],
      subject: "Welcome",
      html: "<p>Ann</p>",
    });
  });

  test("without a key says which variable is missing, and a wrong answer is none", async (t) => {
    await assert.rejects(welcome(undefined).execute({ email: "a@a.test" }, { env: {} }), {
      code: "InvalidConfiguration",
      message: "the action 'welcome' needs the option token or the environment variable RESEND_API_KEY",
    });
    await assert.rejects(welcome(undefined, { token: `${TOKEN}\nx` }).execute({ email: "a@a.test" }), (error) => {
      assert.equal(error.code, "InvalidConfiguration");
      assert.doesNotMatch(shown(error), /sentinel/);
      return true;
    });
    const { url } = await server(t, () => json({ sent: true }));
    await assert.rejects(welcome(url, { token: TOKEN }).execute({ email: "a@a.test" }), { code: "CallFailed" });
  });
});

describe("a language model", () => {
  const completion = (content) => ({
    id: "c",
    model: "m-1",
    choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content } }],
    usage: { prompt_tokens: 3, completion_tokens: 5 },
  });

  test("OpenAI is asked by its own names", async (t) => {
    const { url, requests } = await server(t, () => json(completion("short")));
    const summarize = llmAction("summarize", {
      model: "m",
      system: "Be short.",
      prompt: (text) => text,
      max_completion_tokens: 9,
      organization: "org",
      baseURL: url,
    });
    const { response, ...answer } = await summarize.execute("a long text", { env: { OPENAI_API_KEY: TOKEN } });
    assert.deepEqual(answer, {
      text: "short",
      object: undefined,
      model: "m-1",
      finishReason: "stop",
      usage: { inputTokens: 3, outputTokens: 5 },
    });
    assert.equal(response.id, "c");
    const [{ headers, body, url: path }] = requests;
    assert.equal(path, "/v1/chat/completions");
    assert.deepEqual([headers.authorization, headers["openai-organization"]], [`Bearer ${TOKEN}`, "org"]);
    assert.deepEqual(JSON.parse(body), {
      model: "m",
      max_completion_tokens: 9,
      messages: [
        { role: "system", content: "Be short." },
        { role: "user", content: "a long text" },
      ],
    });
  });

  for (const [base, path] of [
    ["/", "/v1/chat/completions"],
    ["/openai/v1", "/openai/v1/chat/completions"],
    ["/v1beta/openai/chat/completions", "/v1beta/openai/chat/completions"],
  ])
    test(`a compatible server at ${base} is asked at ${path}`, async (t) => {
      const { url, requests } = await server(t, () => json(completion("x")));
      await llmAction("ask", { model: "m", prompt: "p", token: TOKEN, baseURL: url + base }).execute();
      assert.equal(requests[0].url, path);
    });

  test("Anthropic is asked by its own names", async (t) => {
    const { url, requests } = await server(t, () =>
      json({
        id: "a",
        model: "claude",
        content: [{ type: "text", text: "one " }, { type: "tool_use" }, { type: "text", text: "two" }],
        stop_reason: "end_turn",
        usage: { input_tokens: 1, output_tokens: 2 },
      }),
    );
    const ask = llmAction("ask", {
      provider: "anthropic",
      model: "claude",
      max_tokens: 5,
      system: "s",
      prompt: "p",
      baseURL: url,
    });
    const { text, finishReason, usage } = await ask.execute(undefined, { env: { ANTHROPIC_API_KEY: TOKEN } });
    assert.deepEqual([text, finishReason, usage], ["one two", "end_turn", { inputTokens: 1, outputTokens: 2 }]);
    const [{ headers, body, url: path }] = requests;
    assert.deepEqual([path, headers["x-api-key"], headers["anthropic-version"]], ["/v1/messages", TOKEN, "2023-06-01"]);
    assert.deepEqual(JSON.parse(body), {
      model: "claude",
      max_tokens: 5,
      system: "s",
      messages: [{ role: "user", content: "p" }],
    });
    await assert.rejects(ask.execute(undefined, { env: {} }), {
      code: "InvalidConfiguration",
      message: /ANTHROPIC_API_KEY/,
    });
  });

  test("its text is parsed and has to fit the schema", async (t) => {
    const texts = ['{"total":3}', '```json\n{"total":4}\n```', "three"];
    const { url } = await server(t, (_, count) => json(completion(texts[count - 1])));
    const extract = llmAction("extract", {
      model: "m",
      prompt: "p",
      token: TOKEN,
      baseURL: url,
      response: having("total", "number"),
    });
    assert.deepEqual((await extract.execute()).object, { total: 3 });
    assert.deepEqual((await extract.execute()).object, { total: 4 });
    await assert.rejects(extract.execute(), { code: "CallFailed", message: /total: no number/ });
  });

  test("an answer without text is none", async (t) => {
    const { url } = await server(t, () => json({ choices: [] }));
    const ask = llmAction("ask", { model: "m", prompt: "p", token: TOKEN, baseURL: url });
    await assert.rejects(ask.execute(), { code: "CallFailed", message: /choices/ });
  });
});

describe("Redis", () => {
  test("a command is sent as it is, and JSON in its result is parsed", async (t) => {
    const redis = await redisServer(t, { HSET: 2, LRANGE: ['{"a":1}', "text", "12345678901234567890"] });
    const env = { UPSTASH_REDIS_REST_URL: redis.url, UPSTASH_REDIS_REST_TOKEN: TOKEN };
    const remember = redisAction("remember", { command: ({ id }) => ["HSET", `o:${id}`, "total", 3, "tags", ["x"]] });
    assert.equal(await remember.execute({ id: 1 }, { env }), 2);
    const list = redisAction("list", { command: ["LRANGE", "l", 0, -1] });
    assert.deepEqual(await list.execute(undefined, { env }), [{ a: 1 }, "text", "12345678901234567890"]);
    assert.deepEqual(commandsOf(redis), [
      ["HSET", "o:1", "total", 3, "tags", '["x"]'],
      ["LRANGE", "l", 0, -1],
    ]);
  });

  test("the usual commands have fields and results of their own", async (t) => {
    const redis = await redisServer(t, {
      GET: '{"name":"Ann"}',
      SET: "OK",
      INCR: 1,
      DEL: 2,
      HSET: 1,
      HGETALL: ["name", "Ann", "age", "7"],
      ZADD: 1,
      SADD: 1,
      MGET: ["1", null],
    });
    const commands = redisCommands({ url: redis.url, token: () => TOKEN });
    const done = [
      await commands.get("a", { key: (id) => `user:${id}`, response: having("name", "string") }).execute(7),
      await commands.set("b", { key: "k", value: { a: 1 }, ex: 60, nx: true }).execute(),
      await commands.incr("c", { key: "n" }).execute(),
      await commands.del("d", { keys: ["a", "b"] }).execute(),
      await commands.hset("e", { key: "h", fields: { a: 1, b: [2] } }).execute(),
      await commands.hgetall("f", { key: "h" }).execute(),
      await commands.zadd("g", { key: "z", score: 1.5, member: "m" }).execute(),
      await commands.sadd("h", { key: "s", members: ["x", 1] }).execute(),
      await commands.mget("i", { keys: ["a", "b"] }).execute(),
    ];
    assert.deepEqual(done, [{ name: "Ann" }, "OK", 1, 2, 1, { name: "Ann", age: 7 }, 1, 1, [1, null]]);
    assert.deepEqual(commandsOf(redis), [
      ["GET", "user:7"],
      ["SET", "k", '{"a":1}', "EX", 60, "NX"],
      ["INCR", "n"],
      ["DEL", "a", "b"],
      ["HSET", "h", "a", 1, "b", "[2]"],
      ["HGETALL", "h"],
      ["ZADD", "z", 1.5, "m"],
      ["SADD", "s", "x", 1],
      ["MGET", "a", "b"],
    ]);
    await assert.rejects(commands.getdel("j", { key: "k" }).execute(), { code: "Storage" });
    await assert.rejects(commands.get("k", { key: "k", response: having("age", "number") }).execute(), {
      code: "ValidationFailed",
    });
  });

  test("settings that are missing are named", async () => {
    const { incr } = redisCommands();
    const missing = async (env) =>
      (
        await incr("count", { key: "n" })
          .execute(undefined, { env })
          .catch((error) => error)
      ).message;
    assert.match(await missing({}), /UPSTASH_REDIS_REST_TOKEN/);
    assert.match(await missing({ UPSTASH_REDIS_REST_TOKEN: TOKEN }), /UPSTASH_REDIS_REST_URL/);
  });
});

describe("stubs", () => {
  const steps = [
    httpAction("http", { url: "http://127.0.0.1:1/", token: () => assert.fail("no token is needed") }),
    publishAction("publish", { url: "http://127.0.0.1:1/" }),
    enqueueAction("enqueue", { queueName: "q", url: "http://127.0.0.1:1/" }),
    notifyAction("notify", { eventId: "e" }),
    delayAction("delay", { duration: "1d" }),
    emailAction("email", { from: "a@a.test", to: "b@b.test", subject: "s" }),
    llmAction("llm", { model: "m", prompt: "p" }),
    redisAction("redis", { command: ["GET", "k"] }),
    redisCommands().set("set", { key: "k", value: 1 }),
  ];
  for (const step of steps)
    test(`one stands for ${step.name}: it has the input and gives the output`, async () => {
      const input = { of: step.name };
      const asked = [];
      const stub = async (given) => {
        asked.push(given);
        return { from: "stub" };
      };
      const options = { env: {}, stubs: { [step.name]: stub } };
      assert.deepEqual(await step.execute(input, options), { from: "stub" });
      assert.deepEqual(asked, [input]);
    });

  test("in a chain each step has its own", async () => {
    const chain = compose(steps[0], steps[5]);
    const stubs = { http: () => ({ status: 200, headers: {}, body: "b" }), email: ({ body }) => ({ id: body }) };
    assert.deepEqual(await chain.execute({}, { stubs }), { id: "b" });
  });

  test("notifying needs a run or a stub", async () => {
    await assert.rejects(notifyAction("notify", { eventId: "e" }).execute(), { code: "Unsupported" });
  });
});

test("a delay takes seconds or a duration, and nothing else", async () => {
  assert.equal(
    await delayAction("wait", { duration: (input) => input.wait })
      .execute({ wait: 0.001 })
      .then((i) => i.wait),
    0.001,
  );
  for (const duration of ["soon", -1, Number.NaN, "10", {}])
    await assert.rejects(delayAction("wait", { duration }).execute(), {
      code: "InvalidConfiguration",
      message: /'wait'/,
    });
});

describe("in a run", () => {
  /** Plays a run of `step`, and tells what the broker was asked to send. */
  const played = async (t, step, payload, third) => {
    const recorder = await startRecorder();
    t.after(() => recorder.close());
    const env = {
      QSTASH_URL: recorder.url,
      QSTASH_TOKEN: "qstash",
      RESEND_API_KEY: TOKEN,
      OPENAI_API_KEY: TOKEN,
      ANTHROPIC_API_KEY: TOKEN,
    };
    const calls = [];
    const served = serve((context) => step.run(context, context.requestPayload), { env });
    const run = await play(served, recorder, {
      payload: JSON.stringify(payload),
      third: (item) => {
        calls.push(item);
        return third(item);
      },
    });
    return { ...run, calls };
  };
  const forwarded = (headers, name) => headers[`upstash-forward-${name}`];

  /** Fits all of them. */
  const answered = () => ({
    header: JSON_HEADER,
    body: '{"id":"e1","choices":[{"message":{"content":"hi"}}],"content":[]}',
  });

  test("the headers are those of context.api", async (t) => {
    const asked = { model: "m", messages: [{ role: "user", content: "p" }] };
    const api = (provider, settings) => ({
      run: (context) => context.api[provider].call("ask", { token: TOKEN, body: asked, ...settings }),
    });
    const mail = { from: "a@a.test", to: "b@b.test", subject: "s", text: "t" };
    for (const [ours, theirs] of [
      [llmAction("ask", asked), api("openai", { operation: "chat.completions.create" })],
      [
        llmAction("ask", { ...asked, baseURL: "https://llm.test" }),
        api("openai", { baseURL: "https://llm.test", operation: "chat.completions.create" }),
      ],
      [
        llmAction("ask", { ...asked, organization: "o" }),
        api("openai", { organization: "o", operation: "chat.completions.create" }),
      ],
      [llmAction("ask", { ...asked, provider: "anthropic" }), api("anthropic", { operation: "messages.create" })],
      [
        emailAction("ask", { ...mail, idempotencyKey: "k" }),
        api("resend", { body: mail, headers: { "Idempotency-Key": "k" } }),
      ],
    ]) {
      const [a, b] = await Promise.all([played(t, ours, {}, answered), played(t, theirs, {}, () => ({}))]);
      const sent = ({ destination, headers, body }) => {
        const own = Object.entries(headers).filter(([name]) => /^upstash-(forward|method|retries)/.test(name));
        const named = own.filter(([name]) => !/workflow|content-type/.test(name)).sort();
        return [destination, named, JSON.parse(body)];
      };
      assert.deepEqual(sent(a.calls[0]), sent(b.calls[0]));
    }
  });

  test("the broker makes the request, and the result is remembered without the token", async (t) => {
    const step = emailAction("welcome", {
      from: "a@a.test",
      to: ({ to }) => to,
      subject: "s",
      text: "t",
      retries: 2,
      timeout: "30s",
    });
    const { end, result, calls, history } = await played(t, step, { to: "b@b.test" }, () => ({
      header: JSON_HEADER,
      body: '{"id":"e1"}',
    }));
    assert.deepEqual([end, result], ["success", { id: "e1" }]);
    assert.equal(calls.length, 1);
    const [{ headers, destination }] = calls;
    assert.equal(destination, "https://api.resend.com/emails");
    assert.deepEqual([headers["upstash-retries"], headers["upstash-timeout"]], ["2", "30s"]);
    assert.equal(forwarded(headers, "authorization"), `Bearer ${TOKEN}`);
    assert.match(forwarded(headers, "idempotency-key"), /^[0-9a-f-]{36}$/);
    for (const { body } of history) assert.doesNotMatch(Buffer.from(body, "base64").toString(), /sentinel/);
  });

  test("those asked for together run in parallel, and the broker retries what withStepRetry says", async (t) => {
    const left = withStepRetry(httpAction("left", { url: "https://a.test" }), { maxAttempts: 4 });
    const right = llmAction("right", { model: "m", prompt: "p" });
    const both = { run: async (context) => (await Promise.all([left.run(context), right.run(context)])).length };
    const done = await played(t, both, {}, answered);
    assert.deepEqual([done.end, done.result], ["success", 2]);
    assert.deepEqual(stepsOf(done).slice(0, 2), ["plan left", "plan right"]);
    assert.deepEqual(done.calls.map(({ headers }) => headers["upstash-retries"]).sort(), ["0", "3"]);
  });

  test("a refused request fails the run for good, and can be caught", async (t) => {
    const step = httpAction("guarded", { url: "https://a.test", token: TOKEN });
    const refusal = () => ({ status: 401, body: JSON.stringify({ error: "no", got: TOKEN }) });
    const { end, answers } = await played(t, step, {}, refusal);
    assert.equal(end, "failed");
    assert.equal(answers.at(-1)[0], 489);
    assert.match(answers.at(-1)[1].message, /status 401.*no/);
    assert.doesNotMatch(JSON.stringify(answers), /sentinel/);
    const caught = {
      run: (context) => step.run(context).catch(({ code, status }) => context.run("tell", () => [code, status])),
    };
    assert.deepEqual((await played(t, caught, {}, refusal)).result, ["CallFailed", 401]);
  });

  test("an answer that does not fit its schema fails the run for good", async (t) => {
    const step = httpAction("sum", { url: "https://a.test", response: having("total", "number") });
    const { end, answers, calls } = await played(t, step, {}, () => ({ body: "{}" }));
    assert.deepEqual([end, calls.length, answers.at(-1)[0]], ["failed", 1, 489]);
    assert.match(answers.at(-1)[1].message, /total: no number/);
  });

  test("all of them on the embedded broker", async (t) => {
    const on = await embedded(t);
    const redis = await redisServer(t, { INCR: 5 });
    const seen = await server(t, ({ url }) =>
      url === "/emails"
        ? json({ id: "e1" })
        : json({ choices: [{ message: { content: "hi" }, finish_reason: "stop" }], model: "m" }),
    );
    const client = new Client({ baseUrl: on.url, token: on.token });
    await client.urlGroups.addEndpoints({
      name: "group",
      endpoints: [{ url: `${seen.url}/one` }, { url: `${seen.url}/two` }],
    });
    const steps = {
      http: httpAction("http", {
        url: ({ path }) => seen.url + path,
        method: "POST",
        body: (input) => input,
        token: TOKEN,
      }),
      llm: llmAction("llm", { model: "m", prompt: "p", baseURL: seen.url }),
      email: emailAction("email", { from: "a@a.test", to: "b@b.test", subject: "s", text: "t", baseURL: seen.url }),
      publish: publishAction("publish", { url: `${seen.url}/published`, headers: { "x-a": "b" } }),
      group: publishAction("group", { urlGroup: "group", body: "text" }),
      enqueue: enqueueAction("enqueue", { queueName: "q", url: `${seen.url}/queued`, body: ({ path }) => ({ path }) }),
      delay: delayAction("delay", { duration: 1 }),
      redis: redisCommands({ url: redis.url }).incr("redis", { key: "n" }),
      notify: notifyAction("notify", { eventId: "news", eventData: { a: 1 } }),
    };
    const route = async (context) => {
      const given = {};
      for (const [name, step] of Object.entries(steps)) given[name] = await step.run(context, context.requestPayload);
      return given;
    };
    const { broker } = on;
    const endpoint = await serving(t, on, SDKS[1], route, {
      qstashClient: client,
      receiver: new Receiver(broker),
      env: { RESEND_API_KEY: TOKEN, OPENAI_API_KEY: TOKEN, UPSTASH_REDIS_REST_TOKEN: TOKEN },
    });
    const { workflowRunId } = await on.workflow.trigger({ url: endpoint.url, body: { path: "/called" } });
    const run = await on.ended(workflowRunId);
    assert.equal(run.workflowState, "RUN_SUCCESS", JSON.stringify(run.steps));
    const given = JSON.parse(run.workflowRunResponse);
    assert.equal(given.http.status, 200);
    assert.deepEqual([given.llm.text, given.email, given.redis], ["hi", { id: "e1" }, 5]);
    assert.equal(given.group.length, 2);
    assert.deepEqual(given.delay, { path: "/called" });
    assert.deepEqual(given.notify.notifyResponse, []);
    await until(() => seen.requests.length === 7);
    const arrived = Object.fromEntries(
      seen.requests.map(({ url, body, headers }) => [url, { body: String(body), headers }]),
    );
    assert.deepEqual(
      ["/called", "/published", "/one", "/two", "/queued"].map((path) => arrived[path]?.body),
      ['{"path":"/called"}', '{"path":"/called"}', "text", "text", '{"path":"/called"}'],
    );
    assert.equal(arrived["/published"].headers["x-a"], "b");
    assert.equal(arrived["/published"].headers["content-type"], "application/json");
    const log = await on.json(`/v2/workflows/logs?workflowRunId=${workflowRunId}`);
    assert.doesNotMatch(JSON.stringify(log.runs.map(({ workflowRunResponse }) => workflowRunResponse)), /sentinel/);
  });

  test("a message whose step is repeated is delivered once", async (t) => {
    const on = await embedded(t);
    const seen = await server(t, () => ({}));
    const client = new Client({ baseUrl: on.url, token: on.token });
    let crashes = 1;
    const lost = {
      publish: async (...message) => {
        const answer = await client.publish(...message);
        if (crashes-- > 0) throw new Error("crashed after it was sent");
        return answer;
      },
    };
    const tell = publishAction("tell", { url: seen.url, client: lost });
    const route = async (context) => [await tell.run(context, "one"), await tell.run(context, "two")];
    const options = { qstashClient: client, receiver: new Receiver(on.broker) };
    const endpoint = await serving(t, on, SDKS[1], route, options);
    const { workflowRunId } = await on.workflow.trigger({ url: endpoint.url, retries: 1, retryDelay: "1" });
    const run = await on.ended(workflowRunId);
    assert.equal(run.workflowState, "RUN_SUCCESS");
    assert.equal(JSON.parse(run.workflowRunResponse)[0].deduplicated, true);
    await on.broker.idle();
    assert.deepEqual(
      seen.requests.map(({ body }) => String(body)),
      ["one", "two"],
    );
  });
});

test("types follow from the input and from schemas", async (t) => {
  const compiler = await createCompiler();
  t.after(() => compiler.remove());
  assert.equal(await compiler.compile({ "use.ts": TYPES }), "");
});

const TYPES = `
import { delayAction, emailAction, enqueueAction, httpAction, llmAction, notifyAction, publishAction, redisAction, redisCommands } from "@repo/orchestration/actions";
import { compose, type Step, type StepInput, type StepOutput } from "@repo/orchestration";
import type { StandardSchema, WorkflowContext } from "@repo/orchestration/workflows";

interface Order { id: number; email: string }
declare const totals: StandardSchema<{ total: number }>;
declare const context: WorkflowContext<Order>;

export const charge = httpAction("charge", {
  url: ({ id }: Order) => \`https://a.test/\${id}\`, method: "POST", body: (order) => order, token: () => "t",
  headers: ({ email }) => ({ email }), query: { a: 1, b: undefined }, retries: 3, timeout: "30s", response: totals,
});
export async function use(order: Order) {
  const total: number = (await charge.run(context, order)).body.total;
  const explicit = httpAction<Order, { rate: number }>("rates", { url: ({ id }) => String(id), expect: [200, 404] });
  const rate: number = (await explicit.execute(order, { stubs: { rates: () => ({ status: 200 }) } })).body.rate;
  const free: unknown = (await httpAction("free", { url: "https://a.test" }).execute()).body;
  const id: string = (await publishAction("p", { url: "https://a.test", delay: "1m", body: (order: Order) => order.id }).execute(order)).messageId;
  const ids: string[] = (await publishAction<Order>("p", { urlGroup: (o) => o.email }).run(context, order)).map((m) => m.messageId);
  await enqueueAction("q", { queueName: ({ id }: Order) => String(id), url: "https://a.test" }).run(context, order);
  await notifyAction("n", { eventId: ({ id }: Order) => String(id), eventData: { a: 1 } }).run(context, order);
  const same: Order = await delayAction<Order>("d", { duration: ({ id }) => id }).run(context, order);
  const mail: string = (await emailAction("e", { from: "a", to: ({ email }: Order) => [email], subject: "s", html: (o) => o.email }).run(context, order)).id;
  const { object, response } = await llmAction("l", { model: "m", prompt: (o: Order) => o.email, response: totals }).run(context, order);
  const choices: unknown[] = response.choices;
  const claude = await llmAction("l", { provider: "anthropic", model: "m", max_tokens: 5, prompt: "p" }).execute();
  const nothing: undefined = claude.object;
  const stop: string = claude.response.stop_reason;
  const redis = redisCommands({ token: () => process.env });
  const one: Order | null = await redis.get<Order, Order>("g", { key: ({ id }) => \`o:\${id}\` }).run(context, order);
  const parsed: { total: number } | null = await redis.get("g", { key: "k", response: totals }).execute();
  const count: number = await redis.incr("i", { key: "k" }).execute();
  const list: string[] = await redis.lrange<unknown, string>("r", { key: "k", start: 0, stop: -1 }).execute();
  const raw: number = await redisAction<Order, number>("c", { command: ({ id }) => ["INCRBY", "k", id] }).run(context, order);
  return [total, rate, free, id, ids, same, mail, object.total, choices, nothing, stop, one, parsed, count, list, raw];
}
declare const process: { env: string | undefined };

export const chain = compose(charge, redisAction("keep", { command: ({ body }: { body: { total: number } }) => ["SET", "k", body.total] }));
export const made: Step<Order, unknown> = chain;
export type Input = StepInput<typeof charge>;
export const output: StepOutput<typeof charge>["body"] = { total: 1 };

// @ts-expect-error the input has no such member
httpAction("x", { url: ({ name }: Order) => name });
// @ts-expect-error a URL or a URL group
publishAction("x", { url: "https://a.test", urlGroup: "g" });
// @ts-expect-error Anthropic has to be told how much
llmAction("x", { provider: "anthropic", model: "m", prompt: "p" });
// @ts-expect-error the answer is remembered as a whole
llmAction("x", { model: "m", prompt: "p", stream: true });
// @ts-expect-error a mail has a subject
emailAction("x", { from: "a", to: "b" });
// @ts-expect-error a value is needed
redisCommands().set("x", { key: "k" });
`;
