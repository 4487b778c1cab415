/**
 * Uses every entry of the package once, in whatever runtime this is called, and returns what came of it as plain data.
 * `modules` holds the entries; `broker` is the URL of a recorder.
 */
module.exports = async function exercise(modules, broker) {
  const { index, client, server, server_next, workflows, adapters } = modules;
  const env = { QSTASH_URL: broker, QSTASH_TOKEN: "token" };
  const served = workflows.serve(
    async (context) => {
      const [left, right] = await Promise.all([
        context.run("left", () => ({ é: context.requestPayload.n })),
        context.sleep("right", "5s"),
      ]);
      return { left, right };
    },
    { env },
  );
  const answers = [await answer(served.POST, '{"n":1}'), await answer(served.POST, history(), RESUME)];

  const guarded = workflows.serve(async () => {}, { env: { ...env, QSTASH_CURRENT_SIGNING_KEY: "sig_1" } });
  const refused = await answer(guarded.handler, history(), RESUME);

  const publisher = new client.Client({ baseUrl: broker, token: "token" });
  const published = await publisher.publishJSON({ url: "https://example.test/hook", body: { n: 2 }, delay: 3 });
  const misspelt = await codeOf(publisher.publish({ url: "https://example.test", dealy: 3 }), index.OrchestrationError);

  const receiver = new server.Receiver({ currentSigningKey: "sig_1", nextSigningKey: "sig_2" });
  const verified = [];
  for (const body of ["small é", "x".repeat(100_000)]) {
    verified.push(await receiver.verify({ signature: await sign(body, "sig_2"), body, url: "https://example.test/" }));
    const forged = receiver.verify({ signature: await sign(body, "sig_3"), body });
    verified.push(await codeOf(forged, index.SignatureError));
  }

  const starter = new workflows.Client({ baseUrl: broker, token: "token" });
  const { workflowRunId } = await starter.trigger({
    url: "https://app.test/api",
    body: { n: 3 },
    workflowRunId: "own",
  });
  const { cancelled } = await starter.cancel(workflowRunId);
  const random = await starter.trigger({ url: "https://app.test/api" });

  const greet = server_next.createStep("greet", (name) => `hello ${name}`);
  const hello = server_next.defineWorkflow("hello", [greet]);
  const engine = server_next.createWorkflowEngine({
    url: "https://app.test/flows",
    env: { ...env, QSTASH_CURRENT_SIGNING_KEY: "sig_1", QSTASH_NEXT_SIGNING_KEY: "sig_2" },
    workflows: [hello],
  });
  const started = await engine.executeWorkflow(hello, "é", { workflowRunId: "engine" });
  const delivery = JSON.stringify([{ messageId: "msg_0", body: btoa('"you"'), callType: "step" }]);
  const place = "https://app.test/flows/hello";
  const signed = { ...RESUME, "upstash-signature": await sign(delivery, "sig_1", place) };
  const delivered = [
    await answer(engine.serve().POST, delivery, signed, place),
    await answer(engine.serve().fetch, delivery, RESUME, place),
    await answer(engine.serve().POST, delivery, signed, "https://app.test/flows/other"),
  ];
  await engine.shutdown();
  const closed = await codeOf(engine.executeWorkflow(hello, "you"), index.OrchestrationError);

  const masked = modules.shared_utils_data_masking.maskSensitiveData({
    token: "a",
    url: new URL("https://me:b@a.test/"),
    headers: new Headers({ cookie: "c" }),
    error: new TypeError("got Bearer abcdef123456"),
  });
  const cache = new index.BoundedCache({ maxSize: 1, ttl: 60_000, enableAnalytics: true });
  const loaded = await Promise.all([cache.getOrLoad("a", async () => "b"), cache.getOrLoad("a", async () => "c")]);
  cache.set("d", "e", { ttl: 1_000 });
  const signal = modules.shared_factories_step_templates.createTimeoutSignal(5_000);
  signal.clear();

  return {
    masked: [masked.token, masked.url.password, masked.headers.get("cookie"), masked.error.message],
    cached: [loaded, cache.has("a"), cache.get("d"), cache.getAnalytics().evictions],
    cleared: signal.aborted,
    started,
    delivered,
    closed,
    answers,
    refused,
    published,
    misspelt,
    verified,
    adapters: adapters.filter((adapter) => Object.values(adapter).every((value) => typeof value === "function")).length,
    workflowRunId,
    cancelled,
    random: /^wfr_[\w-]{21}$/.test(random.workflowRunId),
    id: /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(index.uuidV4()),
  };
};

const RESUME = { "upstash-workflow-sdk-version": "1", "upstash-workflow-runid": "wfr_1" };

const history = () => JSON.stringify([{ messageId: "msg_0", body: btoa('{"n":1}'), callType: "step" }]);

async function answer(handler, body, headers = {}, url = "https://app.test/api") {
  const response = await handler(new Request(url, { method: "POST", body, headers }));
  const { workflowRunId: _, message: __, ...told } = await response.json();
  return [response.status, told];
}

async function codeOf(promise, errorClass) {
  try {
    await promise;
    return "no error";
  } catch (error) {
    return error instanceof errorClass && error instanceof Error ? error.code : `not of its class: ${error}`;
  }
}

async function sign(body, key, sub = "https://example.test/") {
  const utf8 = new TextEncoder();
  const digest = await crypto.subtle.digest("SHA-256", utf8.encode(body));
  const claims = { iss: "Upstash", sub, nbf: 0, exp: 4102444800, body: base64url(digest) };
  const parts = [{ alg: "HS256", typ: "JWT" }, claims].map((part) => base64url(utf8.encode(JSON.stringify(part))));
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const secret = await crypto.subtle.importKey("raw", utf8.encode(key), algorithm, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", secret, utf8.encode(parts.join(".")));
  return `${parts.join(".")}.${base64url(mac)}`;
}

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
