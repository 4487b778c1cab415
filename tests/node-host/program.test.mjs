// `npx @repo/orchestration dev` from outside: what it prints, how fast it is there, how it ends, what it refuses.

import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { Client } from "@upstash/qstash";
import { dev, folder, program, server, until } from "./support.mjs";

/** The public identity of QStash's development server, as its documentation has it (howto/local-development). */
const PUBLIC = {
  QSTASH_TOKEN: "eyJVc2VySUQiOiJkZWZhdWx0VXNlciIsIlBhc3N3b3JkIjoiZGVmYXVsdFBhc3N3b3JkIn0=",
  QSTASH_CURRENT_SIGNING_KEY: "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r",
  QSTASH_NEXT_SIGNING_KEY: "sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs",
};

describe("dev", { concurrency: false }, () => {
  test("is ready within a second, and prints one screen with what a .env needs", async (t) => {
    // From the spawn on, so with the start of Node itself. The best of some: others may be using the machine.
    const starts = [];
    let running;
    while (starts.length < 10 && !(Math.min(...starts) < 1000)) {
      await running?.kill("SIGTERM");
      const began = performance.now();
      running = program(t, ["dev", "--port", "0"]);
      await running.line(/Ctrl-C/);
      starts.push(Math.round(performance.now() - began));
    }
    const { stdout, stderr } = running.output;
    t.diagnostic(`ready after ${starts.join(", ")} ms`);
    assert.ok(Math.min(...starts) < 1000, starts.join());
    assert.equal(stderr, "", "not even Node's word about its SQLite");
    assert.ok(stdout.split("\n").length <= 24 && stdout.split("\n").every((line) => line.length <= 130), stdout);
    const env = Object.fromEntries([...stdout.matchAll(/^ *(QSTASH_\w+)="(.+)"$/gm)].map(([, ...pair]) => pair));
    const { QSTASH_URL, ...identity } = env;
    assert.deepEqual(identity, PUBLIC);
    const keys = await new Client({ baseUrl: QSTASH_URL, token: identity.QSTASH_TOKEN }).http.request({
      path: ["v2", "keys"],
    });
    assert.deepEqual(keys, { current: PUBLIC.QSTASH_CURRENT_SIGNING_KEY, next: PUBLIC.QSTASH_NEXT_SIGNING_KEY });
    const index = await (await fetch(QSTASH_URL, { headers: { accept: "application/json" } })).json();
    assert.equal(index.name, "orchestration");
    assert.ok(existsSync(join(running.cwd, ".orchestration/broker.db")));
    assert.equal(readFileSync(join(running.cwd, ".orchestration/.gitignore"), "utf8"), "*\n");
  });

  for (const signal of ["SIGINT", "SIGTERM"]) {
    test(`${signal} stops it at once, and what waits is there after the next start`, async (t) => {
      const on = await dev(t);
      const { url, requests } = await server(t, () => ({}));
      const { messageId } = await on.qstash.publishJSON({ url, body: 1, delay: 2 });
      const { code, stderr } = await on.kill(signal);
      assert.deepEqual([code, stderr], [0, ""]);
      await on.restart();
      await until(() => requests.length === 1);
      assert.equal(requests[0].headers["upstash-message-id"], messageId);
    });
  }

  test("a port that is taken is an error that says what to do", async (t) => {
    const other = createServer().listen(0, "127.0.0.1");
    t.after(() => other.close());
    await until(() => other.listening);
    const { port } = other.address();
    const { code, stdout, stderr } = await program(t, ["dev", "--port", String(port)]).exited;
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, new RegExp(`^error: port ${port} .* is taken by another program\\n.*--port`));
  });

  test("a second broker on the same file is an error, and the first goes on", async (t) => {
    const on = await dev(t);
    const { code, stderr } = await program(t, ["dev", "--port", "0", "--db", on.db]).exited;
    assert.equal(code, 1);
    assert.match(stderr, /^error: the database .*broker\.db is in use by another process.*\n.*--db/);
    assert.ok((await on.api("/v2/keys")).ok);
  });

  test("a database of a newer build is refused, and left as it is", async (t) => {
    const on = await dev(t);
    await on.kill("SIGTERM");
    const database = new DatabaseSync(on.db);
    const { changes } = database.prepare("UPDATE meta SET value = 1000 WHERE key = 'schema'").run();
    assert.equal(changes, 1);
    database.close();
    const { code, stderr } = await program(t, ["dev", "--port", "0", "--db", on.db]).exited;
    assert.equal(code, 1);
    assert.match(stderr, /^error: the database has schema version 1000, .*newer build.*broker\.db/);
  });

  test("a file that is no database is refused, and left as it is", async (t) => {
    const file = join(folder(), "notes.txt");
    writeFileSync(file, "what I had to remember\n".repeat(100));
    const { code, stderr } = await program(t, ["dev", "--port", "0", "--db", file]).exited;
    assert.equal(code, 1);
    assert.match(stderr, /^error: .*notes\.txt is not a database/);
    assert.match(readFileSync(file, "utf8"), /^what I had/);
  });

  test("a database that can't be made is an error with its path", async (t) => {
    const file = join(folder(), "notes.txt");
    writeFileSync(file, "");
    const { code, stderr } = await program(t, ["dev", "--port", "0", "--db", join(file, "broker.db")]).exited;
    assert.equal(code, 1);
    assert.match(stderr, /^error: the database .*notes\.txt\/broker\.db can.t be/);
  });

  test("secrets of one's own are used and not printed: from the environment, from arguments before that", async (t) => {
    const db = join(folder(), "broker.db");
    const start = async (args, env) => {
      const running = program(t, ["dev", "--port", "0", "--db", db, ...args], { env });
      await running.line(/Ctrl-C/);
      const { stdout } = running.output;
      const told = Object.fromEntries([...stdout.matchAll(/^ *(QSTASH_\w+)="(.+)"$/gm)].map(([, ...pair]) => pair));
      const ask = async (token, path = "/v2/keys", method = "GET") => {
        const answer = await fetch(told.QSTASH_URL + path, { method, headers: { authorization: `Bearer ${token}` } });
        return { status: answer.status, ...(await answer.json()) };
      };
      return { running, stdout, told, ask };
    };
    const env = {
      QSTASH_TOKEN: "token-of-the-environment",
      QSTASH_READONLY_TOKEN: "reader-of-the-environment",
      QSTASH_CURRENT_SIGNING_KEY: "sig_current_secret",
      QSTASH_NEXT_SIGNING_KEY: "",
    };
    const first = await start([], env);
    assert.equal(first.told.QSTASH_TOKEN, "the one that QSTASH_TOKEN says");
    assert.equal(first.told.QSTASH_CURRENT_SIGNING_KEY, "the one that QSTASH_CURRENT_SIGNING_KEY says");
    assert.equal(first.told.QSTASH_NEXT_SIGNING_KEY, PUBLIC.QSTASH_NEXT_SIGNING_KEY);
    const keys = { status: 200, current: "sig_current_secret", next: PUBLIC.QSTASH_NEXT_SIGNING_KEY };
    assert.deepEqual(await first.ask("token-of-the-environment"), keys);
    assert.equal((await first.ask("reader-of-the-environment", "/v2/queues/none")).status, 404);
    assert.equal((await first.ask(PUBLIC.QSTASH_TOKEN)).status, 401);
    await first.running.kill("SIGTERM");

    const args = ["--token", "token-of-the-arguments", "--next-signing-key", "sig_next_secret"];
    const second = await start(args, env);
    assert.equal(second.told.QSTASH_TOKEN, "the one that --token says");
    assert.equal(second.told.QSTASH_NEXT_SIGNING_KEY, "the one that --next-signing-key says");
    assert.equal((await second.ask("token-of-the-environment")).status, 401);
    const rotated = await second.ask("token-of-the-arguments", "/v2/keys/rotate", "POST");
    assert.equal(rotated.current, "sig_next_secret");
    await second.running.kill("SIGTERM");

    const third = await start(args, env);
    assert.equal((await third.ask("token-of-the-arguments")).next, rotated.next);
    assert.equal(third.told.QSTASH_NEXT_SIGNING_KEY, "rotated: GET /v2/keys tells it");
    for (const { stdout } of [first, second, third])
      for (const secret of ["-the-environment", "-the-arguments", "secret", rotated.next])
        assert.ok(!stdout.includes(secret), `${secret} in ${stdout}`);
  });

  for (const [args, known] of [
    [["--token", "own"], "its signing keys"],
    [["--token", "own", "--current-signing-key", "sig_own"], "its signing keys"],
    [["--current-signing-key", "sig_own", "--next-signing-key", "sig_other"], "its token"],
    [["--token", "own", "--current-signing-key", "sig_own", "--next-signing-key", "sig_other"], undefined],
  ])
    test(`who lets others in with ${args.filter((_, index) => index % 2 === 0).join(", ")} is warned of ${known ?? "nothing"}`, async (t) => {
      const running = program(t, ["dev", "--port", "0", "--host", "0.0.0.0", ...args]);
      await running.line(/Ctrl-C/);
      const { stderr } = await running.kill("SIGTERM");
      if (known) assert.ok(stderr.startsWith(`warning: others can reach this broker, and everybody knows ${known}: `));
      else assert.equal(stderr, "");
    });

  test("who lets others in without a token of one's own is warned", async (t) => {
    const running = program(t, ["dev", "--port", "0", "--host", "0.0.0.0"]);
    await running.line(/Ctrl-C/);
    await until(() => running.output.stderr);
    assert.match(
      running.output.stderr,
      /^warning: others can reach this broker.*its token and its signing keys.*--token/,
    );
    const sent = await fetch(`${/QSTASH_URL="(.+)"/.exec(running.output.stdout)[1]}/v2/publish/http://10.0.0.1/`, {
      method: "POST",
      headers: { authorization: `Bearer ${PUBLIC.QSTASH_TOKEN}` },
    });
    assert.equal(sent.status, 400);
    assert.match((await sent.json()).error, /private/);
  });

  test("help, version and misuse", async (t) => {
    const { version } = JSON.parse(readFileSync(new URL("../../pkg/package.json", import.meta.url), "utf8"));
    const run = async (...args) => {
      const { code, stdout, stderr } = await program(t, args).exited;
      return [code, stdout + stderr];
    };
    assert.deepEqual(await run("--version"), [0, `${version}\n`]);
    for (const help of [await run("--help"), await run()]) {
      assert.equal(help[0], 0);
      for (const option of ["--port", "--db", "--token", "--host", "QSTASH_TOKEN"])
        assert.ok(help[1].includes(option), option);
    }
    for (const [args, message] of [
      [["start"], /no command 'start'/],
      [["dev", "--prot", "1"], /--prot/],
      [["dev", "--port", "x"], /--port must be a whole number, got 'x'/],
    ]) {
      const [code, text] = await run(...args);
      assert.equal(code, 2, text);
      assert.match(text, message);
    }
    const [code, text] = await run("dev", "--port", "70000");
    assert.equal(code, 1);
    assert.match(text, /^error: the option port must be a whole number from 0 to 65535, got 70000/);
  });

  test("a Node that is too old is told so, before anything of the broker is loaded", async (t) => {
    const script = join(folder(), "old.cjs");
    writeFileSync(
      script,
      `Object.defineProperty(process.versions, "node", { value: "20.11.0" });\nrequire(process.env.CLI);`,
    );
    const { CLI } = await import("./support.mjs");
    const { code, stderr } = await program(t, ["dev"], { script, env: { CLI } }).exited;
    assert.equal(code, 1);
    assert.match(stderr, /^error: the broker needs Node 22\.13 or newer, .*20\.11\.0/);
  });
});
