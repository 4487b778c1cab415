/**
 * The examples in the official packages (their READMEs and the comments in their types), with only the import changed:
 * whatever the compiler takes with the official package it takes with ours.
 */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { createCompiler } from "./compiler.mjs";
import { ROOT } from "./consumer.mjs";

const PACKAGES = {
  "@upstash/workflow": "@repo/orchestration/workflows",
  "@upstash/qstash": "@repo/orchestration/client",
};
const OFFICIAL = new RegExp(`(${Object.keys(PACKAGES).join("|")})(/[a-z0-9-]+)?(?=["'])`, "g");

/** What examples take for granted. */
const AMBIENT = {
  "@upstash/workflow": `
    import { Client as WorkflowClient, serve as serveAny, type WorkflowContext } from "@upstash/workflow";
    declare global {
      const Client: typeof WorkflowClient;
      const serve: typeof serveAny;
      const context: WorkflowContext<any>;
      const workflowClient: WorkflowClient;
    }`,
  "@upstash/qstash": `
    import { Client as QstashClient, Receiver } from "@upstash/qstash";
    declare global {
      const Client: typeof QstashClient;
      const cursor: string;
      const qstashClient: QstashClient;
      const receiver: Receiver;
    }`,
};
/** How many examples have been found to be more than fragments. */
const LEAST = { "@upstash/workflow": 18, "@upstash/qstash": 7 };

const CONSOLE =
  "declare global { const console: { log(...items: unknown[]): void }; const process: { env: Record<string, string | undefined> } }";

const ours = (source) => source.replace(OFFICIAL, (_, name, entry = "") => `${PACKAGES[name]}${entry}`);

describe("official examples", () => {
  let compiler;
  before(async () => {
    compiler = await createCompiler();
  });
  after(() => compiler.remove());

  for (const name of Object.keys(PACKAGES)) {
    test(name, async (t) => {
      const examples = await examplesOf(name);
      assert.ok(examples.length > 10, `${examples.length} examples of ${name} were found`);
      let good = examples;
      // A source that can't be parsed keeps the compiler from checking the others.
      for (let wrong; wrong?.size !== 0; good = good.filter((_, index) => !wrong.has(index)))
        wrong = await mistakes(compiler, name, good, (source) => source);
      t.diagnostic(`${good.length} of ${examples.length} examples compile with the official package`);
      assert.ok(good.length >= LEAST[name], `only ${good.length} examples can be compared`);
      const wrong = await mistakes(compiler, name, good, ours);
      const shown = [...wrong].map(([index, errors]) => `${errors.join("\n")}\nin:\n${ours(good[index])}`);
      assert.deepEqual(shown, []);
    });
  }
});

/** The code blocks in README and types of a package. */
async function examplesOf(name) {
  const folder = join(ROOT, "node_modules", name);
  const files = (await readdir(folder)).filter((file) => file === "README.md" || file.endsWith(".d.ts"));
  const blocks = [];
  for (const file of files) {
    const source = await readFile(join(folder, file), "utf8");
    const text = file.endsWith(".d.ts") ? source.replace(/^\s*\* ?/gm, "") : source;
    for (const [, block] of text.matchAll(/```(?:ts|typescript|javascript|js)\n([\s\S]*?)```/g)) blocks.push(block);
  }
  return [...new Set(blocks)];
}

/** Which examples the compiler refuses, and why. */
async function mistakes(compiler, name, examples, translate) {
  const sources = {
    "ambient.d.mts": `${translate(AMBIENT[name])}\n${CONSOLE}\nexport {};`,
    ...Object.fromEntries(examples.map((example, index) => [`example${index}.mts`, wrapped(translate(example), name)])),
  };
  const output = await compiler.compile(sources, { noUncheckedIndexedAccess: false, noImplicitAny: false });
  const found = new Map();
  for (const line of output.split("\n")) {
    const index = /^example(\d+)\.mts/.exec(line)?.[1];
    if (index) found.set(Number(index), [...(found.get(Number(index)) ?? []), line]);
    else assert.doesNotMatch(line, /error TS/, line);
  }
  return found;
}

/** A module of its own; a fragment that uses `client` gets one. */
function wrapped(example, name) {
  const needsClient = /\bclient\./.test(example) && !/\b(const|let) client\b/.test(example);
  const client = name === "@upstash/workflow" ? "workflowClient" : "qstashClient";
  return `${example}\n${needsClient ? `declare const client: typeof ${client};` : ""}\nexport {};\n`;
}
