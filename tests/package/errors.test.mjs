/** Codes, classes, what is worth another try, and what becomes of an error in a log. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { inspect } from "node:util";

import * as esm from "@repo/orchestration";
import * as client from "@repo/orchestration/client";
import * as workflows from "@repo/orchestration/workflows";

import * as bindings from "../../pkg/wasm/rules_bg.js";
import { createCompiler } from "./compiler.mjs";
import { ROOT } from "./consumer.mjs";

const {
  createOrchestrationError,
  isOrchestrationError,
  isRetryableError,
  OrchestrationError,
  OrchestrationErrorCodes,
  statusOf,
} = esm;

describe("codes", () => {
  let table;

  before(async () => {
    const wasm = await readFile(join(ROOT, "pkg/wasm/rules_bg.wasm"));
    const { instance } = await WebAssembly.instantiate(wasm, { "./rules_bg.js": bindings });
    bindings.__wbg_set_wasm(instance.exports);
    instance.exports.__wbindgen_start();
    table = bindings.errorTable();
  });

  test("are those of Rust, in its order, each with its status and whether trying again helps", () => {
    const own = Object.keys(OrchestrationErrorCodes).map((code) => {
      assert.equal(OrchestrationErrorCodes[code], code);
      return [code, statusOf(code), createOrchestrationError("x", { code }).retryable];
    });
    assert.ok(table.length > 50, String(table.length));
    assert.deepEqual(own, table);
  });

  test("are named in the documentation, all of them", async () => {
    const guide = await readFile(join(ROOT, "docs/engine.md"), "utf8");
    const rows = [...guide.matchAll(/^\| `(\w+)` \| (\d+) \| (yes|no) \|/gm)].map(([, code, status, retryable]) => [
      code,
      Number(status),
      retryable === "yes",
    ]);
    assert.deepEqual(rows, table);
  });

  test("can't be changed", () => {
    assert.ok(Object.isFrozen(OrchestrationErrorCodes));
    assert.throws(() => {
      OrchestrationErrorCodes.Internal = "Other";
    }, TypeError);
  });
});

describe("createOrchestrationError", () => {
  test("gives the class that fits the code", () => {
    const classes = {
      RateLimited: esm.RateLimitError,
      ChatRateLimited: esm.RateLimitError,
      DailyRateLimited: esm.RateLimitError,
      CircuitOpen: esm.CircuitOpenError,
      StepTimeout: esm.TimeoutError,
      ValidationFailed: esm.ValidationError,
      ProviderUnavailable: esm.ProviderError,
      InvalidConfiguration: esm.ConfigurationError,
      WorkflowFailed: esm.WorkflowError,
      StepFailed: esm.WorkflowError,
      SignatureExpired: esm.SignatureError,
      BrokerUnreachable: esm.QstashError,
      Aborted: OrchestrationError,
    };
    for (const [code, Class] of Object.entries(classes)) {
      const error = createOrchestrationError("what happened", { code });
      assert.equal(error.constructor, Class, code);
      assert.deepEqual([error.code, error.message, error.name], [code, "what happened", Class.name]);
      assert.ok(error instanceof OrchestrationError && error instanceof Error, code);
    }
  });

  test("keeps the cause and the status, and says whether trying again helps: the caller, else the code", () => {
    const cause = new Error("why");
    for (const code of Object.keys(OrchestrationErrorCodes)) {
      const error = createOrchestrationError("x", { code, cause, status: 418 });
      assert.equal(error.cause, cause, code);
      assert.equal(error.status, 418, code);
      for (const retryable of [true, false])
        assert.equal(createOrchestrationError("x", { code, retryable }).retryable, retryable, code);
    }
    assert.ok(!("cause" in createOrchestrationError("x", { code: "NotFound" })));
  });

  test("refuses a code that there is not", () => {
    for (const code of ["Nope", "toString", undefined, 5])
      assert.throws(() => createOrchestrationError("x", { code }), { code: "InvalidConfiguration", message: /Codes/ });
  });

  test("hides secrets in the message, wherever it is shown", () => {
    const message =
      "GET https://me:hunter2@api.test failed with Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl";
    for (const code of ["CallFailed", "SignatureInvalid", "WorkflowFailed", "RateLimited"]) {
      const error = createOrchestrationError(message, { code });
      for (const text of [error.message, error.stack, String(error), JSON.stringify(error)]) {
        assert.match(text, /GET https:.* failed with Authorization/, code);
        assert.doesNotMatch(text, /hunter2|eyJ/, code);
      }
    }
  });

  test("typed classes tell what they know", () => {
    const limited = new esm.RateLimitError("slow down", { limit: 5, remaining: 0, resetAt: 7, retryAfterMs: 3 });
    assert.deepEqual(
      [limited.code, limited.limit, limited.remaining, limited.resetAt, limited.retryAfterMs, limited.retryable],
      ["RateLimited", 5, 0, 7, 3, true],
    );
    assert.equal(new esm.CircuitOpenError("open", { retryAfterMs: 9 }).retryAfterMs, 9);
    assert.equal(new esm.ProviderError("down", { provider: "mine", status: 502 }).provider, "mine");
    const issues = [{ message: "expected a number", path: ["amount"] }];
    assert.deepEqual(new esm.ValidationError("no", { issues }).issues, issues);
  });

  test("a step's timeout is a timeout", () => {
    const error = new workflows.StepTimeoutError("slow", 3);
    assert.ok(error instanceof esm.TimeoutError);
    assert.deepEqual([error.code, error.retryable, error.name], ["StepTimeout", true, "StepTimeoutError"]);
  });
});

describe("isOrchestrationError", () => {
  test("knows the errors of every copy of this package", () => {
    const cjs = createRequire(import.meta.url)("@repo/orchestration");
    const foreign = cjs.createOrchestrationError("x", { code: "Closed" });
    assert.ok(!(foreign instanceof OrchestrationError), "the copies share their classes, so this proves nothing");
    assert.ok(isOrchestrationError(foreign));
    assert.ok(cjs.isOrchestrationError(new client.QstashError("x")));
  });

  test("knows nothing else", () => {
    for (const value of [new Error("x"), { code: "Closed", retryable: true }, null, undefined, "Closed", () => {}])
      assert.equal(isOrchestrationError(value), false);
  });
});

describe("isRetryableError", () => {
  const coded = (code) => Object.assign(new Error(code), { code });
  const answered = (status) => Object.assign(new Error("x"), { status });
  const fetchFailed = (cause) => new TypeError("fetch failed", { cause });

  test("what may pass", () => {
    const passing = [
      createOrchestrationError("x", { code: "BrokerUnreachable" }),
      new esm.WorkflowRetryAfterError("later", 5),
      new client.QstashRatelimitError({ limit: "1", remaining: "0", reset: "1" }),
      ...["ECONNRESET", "ECONNREFUSED", "ETIMEDOUT", "EAI_AGAIN", "EPIPE", "UND_ERR_SOCKET"].map(coded),
      ...[408, 425, 429, 500, 502, 503, 504].map(answered),
      { statusCode: 503 },
      fetchFailed(),
      fetchFailed(coded("ECONNREFUSED")),
      ...["Failed to fetch", "NetworkError when attempting to fetch resource.", "Load failed"].map(
        (message) => new TypeError(message),
      ),
      new DOMException("The operation was aborted due to timeout", "TimeoutError"),
      new Error("outer", { cause: new Error("middle", { cause: coded("ECONNRESET") }) }),
    ];
    for (const error of passing) assert.equal(isRetryableError(error), true, String(error));
  });

  test("what stays as it is", () => {
    const cycle = new Error("a");
    cycle.cause = new Error("b", { cause: cycle });
    const lasting = [
      createOrchestrationError("x", { code: "ValidationFailed" }),
      createOrchestrationError("x", { code: "CircuitOpen", retryable: false, cause: coded("ECONNRESET") }),
      new esm.WorkflowNonRetryableError("no"),
      new esm.WorkflowAbort("step", "no"),
      new DOMException("This operation was aborted", "AbortError"),
      ...[400, 401, 403, 404, 409, 422].map(answered),
      new TypeError("undefined is not a function"),
      coded("ENOENT"),
      fetchFailed(coded("CERT_HAS_EXPIRED")),
      new Error("outer", { cause: answered(404) }),
      ...[cycle, undefined, null, "ECONNRESET", 503, {}],
    ];
    for (const error of lasting) assert.equal(isRetryableError(error), false, String(error));
  });

  test("what this runtime throws", async () => {
    const server = createServer((request) => request.socket.destroy());
    const { port } = await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address())));
    const reset = await fetch(`http://127.0.0.1:${port}`).catch((error) => error);
    await new Promise((resolve) => server.close(resolve));
    const refused = await fetch(`http://127.0.0.1:${port}`).catch((error) => error);
    const aborted = await fetch(`http://127.0.0.1:${port}`, { signal: AbortSignal.abort() }).catch((error) => error);
    const invalid = await fetch("no url").catch((error) => error);
    assert.deepEqual([reset, refused, aborted, invalid].map(isRetryableError), [true, true, false, false]);
  });
});

describe("as JSON", () => {
  const twice = (value) => [value, value];

  test("an error is its name, code, message and whether trying again helps; not its stack", () => {
    const error = createOrchestrationError("no room", { code: "BatchFull" });
    assert.deepEqual(JSON.parse(JSON.stringify({ error })), {
      error: { name: "OrchestrationError", code: "BatchFull", message: "no room", retryable: true },
    });
    const refused = new client.QstashError("the broker answered 400", 400);
    assert.deepEqual(refused.toJSON(), {
      ...{ name: "QstashError", code: "BrokerRefused", message: "the broker answered 400" },
      ...{ retryable: false, status: 400 },
    });
  });

  test("details are a copy without secrets, that can always be written", () => {
    const details = {
      order: 7,
      apiKey: "hunter2",
      at: new Date(0),
      big: 12n,
      headers: new Map([
        ["authorization", "Bearer hunter2"],
        ["accept", "text/plain"],
      ]),
      tags: new Set(["a"]),
      left: { same: "x" },
      nested: [{ password: "hunter2", size: 3, url: "https://me:hunter2@db.test/x" }],
      error: Object.assign(new Error("token=hunter2 is wrong", { cause: new Error("inner") }), { code: "EBAD" }),
      nothing: undefined,
      call() {},
    };
    details.right = details.left;
    details.self = details;
    details.headers.set("map", details.headers);
    const error = createOrchestrationError("x", { code: "CallFailed", details });
    const { order, at, big, headers, tags, left, right, self, nested, error: inner } = error.toJSON().details;
    assert.deepEqual(
      [order, at, big, tags, left, right],
      [7, "1970-01-01T00:00:00.000Z", "12", ["a"], ...twice({ same: "x" })],
    );
    assert.deepEqual(
      [headers.accept, headers.map, self, nested[0].size],
      ["text/plain", "[circular]", "[circular]", 3],
    );
    assert.deepEqual([inner.name, inner.code, inner.cause.message], ["Error", "EBAD", "inner"]);
    for (const text of [JSON.stringify(error), inspect(error, { depth: 9, showHidden: true })])
      assert.doesNotMatch(text, /hunter2/);
    assert.equal(details.apiKey, "hunter2");
    assert.throws(() => {
      error.details = {};
    }, TypeError);
    assert.ok(!("details" in createOrchestrationError("x", { code: "CallFailed" })));
  });

  test("causes are names and codes: their messages are somebody else's", () => {
    const reset = Object.assign(new Error("connect to postgres://me:hunter2@db failed"), { code: "ECONNRESET" });
    const error = createOrchestrationError("the store is away", {
      code: "Storage",
      cause: new TypeError("hunter2", { cause: reset }),
    });
    assert.deepEqual(error.toJSON().cause, { name: "TypeError", cause: { name: "Error", code: "ECONNRESET" } });
    const odd = [
      [{ name: "the password is hunter2", code: "hunter 2" }, { name: "Error" }],
      ["hunter2", { name: "string" }],
      [Object.assign(new Error("hunter2"), { code: 11000 }), { name: "Error", code: 11000 }],
    ];
    for (const [cause, expected] of odd)
      assert.deepEqual(createOrchestrationError("x", { code: "Internal", cause }).toJSON().cause, expected);
  });

  test("causes that go in a circle end", () => {
    const error = createOrchestrationError("x", { code: "Internal" });
    error.cause = error;
    assert.ok(JSON.stringify(error).length < 1_000);
  });

  test("what a user's step threw is not repeated", () => {
    const error = new workflows.WorkflowStepError("charge", { name: "Error", message: "card 4111", stack: "at card" });
    assert.equal(error.message, "card 4111");
    assert.deepEqual(error.toJSON(), {
      ...{ name: "WorkflowStepError", code: "StepFailed", message: "step 'charge' failed", retryable: false },
      cause: { name: "Error" },
    });
  });
});

describe("types", () => {
  let compiler;

  before(async () => {
    compiler = await createCompiler();
  });

  after(() => compiler.remove());

  test("the code decides the class, and is one of the table", async () => {
    const output = await compiler.compile({
      "errors.mts": `
import {
  CircuitOpenError,
  createOrchestrationError,
  isOrchestrationError,
  OrchestrationError,
  type OrchestrationErrorCode,
  OrchestrationErrorCodes,
  type RateLimitError,
  type SerializedError,
  statusOf,
} from "@repo/orchestration";

const limited: RateLimitError = createOrchestrationError("x", { code: OrchestrationErrorCodes.RateLimited });
const after: number | undefined = createOrchestrationError("x", { code: "CircuitOpen" }).retryAfterMs;
const plain: OrchestrationError = createOrchestrationError("x", { code: "NotFound", cause: 1, status: 404, details: { a: 1 } });
// @ts-expect-error it is of another class
const wrong: CircuitOpenError = createOrchestrationError("x", { code: "NotFound" });
// @ts-expect-error there is no such code
createOrchestrationError("x", { code: "Nope" });
// @ts-expect-error a code is needed
createOrchestrationError("x");
const literal: "Closed" = OrchestrationErrorCodes.Closed;
// @ts-expect-error codes can't be changed
OrchestrationErrorCodes.Closed = "Closed";
const any = (code: OrchestrationErrorCode): OrchestrationError => createOrchestrationError("x", { code });

export function told(error: unknown): SerializedError | undefined {
  if (error instanceof CircuitOpenError) return { ...error.toJSON(), retryable: true };
  if (!isOrchestrationError(error)) return undefined;
  const status: number = statusOf(error.code);
  // @ts-expect-error codes are compared with codes
  if (error.code === "Nope") return undefined;
  return { ...error.toJSON(), status };
}
void [limited, after, plain, wrong, literal, any];
`,
    });
    assert.equal(output, "");
  });
});
