/** A Cloudflare Worker in TypeScript: bundled by wrangler as it would be deployed, run by workerd. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { after, before, describe, test } from "node:test";

import { startWorkerd } from "../package/workerd.mjs";
import { keepsTheContract } from "./harness/contract.mjs";
import { createProject } from "./harness/project.mjs";
import { startSurroundings } from "./harness/surroundings.mjs";

/** That of the project's wrangler.jsonc. */
const DATE = "2026-01-01";

describe("worker", () => {
  let surroundings;
  let project;
  let app;

  before(async () => {
    surroundings = await startSurroundings();
    project = await createProject("worker");
    await project.build();
    const bindings = surroundings.environment;
    app = await startWorkerd({ folder: project.at("dist"), file: "worker.js", date: DATE, bindings });
  });

  after(async () => {
    await app?.stop();
    await surroundings?.stop();
    project?.remove();
  });

  test("the core is uploaded as wasm, and nowhere else", () => {
    const files = readdirSync(project.at("dist"));
    assert.equal(files.filter((name) => name.endsWith("core.wasm")).length, 1, files.join());
  });

  keepsTheContract("over HTTP", () => ({ app, surroundings }));
});
