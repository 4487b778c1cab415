/**
 * The installed package under the condition `edge-light`, in a context where code may not compile wasm: what Vercel's Edge
 * runtime and Next.js do. The platform compiles `*.wasm?module` in a realm of its own and hands the module in.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { assertWorks, createProject, IMPORTS } from "./consumer.mjs";
import { EDGE, load } from "./sandbox.mjs";

const MAIN = `${IMPORTS}\nexport const main = (broker) => exercise(modules, broker);`;

describe("in an Edge runtime", () => {
  let project;

  before(async () => {
    project = await createProject({ type: "module" });
    await project.write({ "main.js": MAIN });
  });

  after(() => project.remove());

  test("all entries", async () => {
    const main = await load(project, EDGE);
    await assertWorks(async (url) => structuredClone(await main(url)));
  });

  test("the wasm inside the JavaScript would be refused there", async () => {
    const main = await load(project, ["import"]);
    await assert.rejects(main("http://127.0.0.1:9"), /code generation disallowed/);
  });
});
