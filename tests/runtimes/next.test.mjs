/** Next.js: built with Turbopack and with webpack; in its own server, standalone elsewhere, and as on the real Edge. */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { withPage } from "./harness/browser.mjs";
import { keepsTheContract } from "./harness/contract.mjs";
import { placesAnOrder } from "./harness/order-page.mjs";
import { createProject, startServer, userEnvironment } from "./harness/project.mjs";
import { startSurroundings } from "./harness/surroundings.mjs";

const NODE = { workflow: "/api/workflows/order" };
const EDGE = {
  ...{ orders: "/edge/orders", workflow: "/edge/order", reminders: "/edge/reminders", inbox: "/edge/inbox" },
};
const BUNDLERS = { Turbopack: "build", webpack: "build:webpack" };

/** Compiles the smallest module there is, which the real Edge does not allow. */
const CONTROL = `export const runtime = "edge";

export function GET() {
  try {
    new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
    return new Response("compiled");
  } catch (error) {
    return new Response(String(error));
  }
}
`;

/** Where Next.js says what code of the Edge runtime may do: in `next start` all but `eval`. */
const SANDBOX = "node_modules/next/dist/server/web/sandbox/context.js";
const ALLOWS = /codeGeneration:[^,]*?\?\s*\{[^}]*\}\s*:\s*undefined,/;
const FORBIDS = "codeGeneration: { strings: false, wasm: false },";

let surroundings;
let project;

before(async () => {
  surroundings = await startSurroundings();
  project = await createProject("next");
  mkdirSync(project.at("app/edge/control"));
  writeFileSync(project.at("app/edge/control/route.ts"), CONTROL);
});

after(async () => {
  await surroundings?.stop();
  project?.remove();
});

for (const [bundler, script] of Object.entries(BUNDLERS))
  describe(`Next.js, built with ${bundler}`, () => {
    let app;
    const given = () => ({ app, surroundings });

    before(async () => {
      rmSync(project.at(".next"), { recursive: true, force: true });
      await project.build(script);
    });

    describe("next start", () => {
      before(async () => {
        app = await project.start(surroundings.environment);
      });
      after(() => app?.stop());

      keepsTheContract("on Node", given, NODE);
      keepsTheContract("on the Edge runtime", given, EDGE);

      test("a page follows an order with the hooks", () => withPage(app.url, placesAnOrder));

      test("the API is closed where the application has not opened it", async () => {
        const { status } = await fetch(`${app.url}/api/orchestration/metrics`);
        assert.equal(status, 403);
      });
    });

    describe("next start, where no code may be compiled", () => {
      before(async () => {
        const text = readFileSync(project.at(SANDBOX), "utf8");
        assert.match(text, ALLOWS, "this Next.js says elsewhere what the Edge runtime may do");
        replaceFile(project.at(SANDBOX), text.replace(ALLOWS, FORBIDS));
        try {
          app = await project.start(surroundings.environment);
          // Loaded with the first request.
          await fetch(`${app.url}/edge/control`);
        } finally {
          replaceFile(project.at(SANDBOX), text);
        }
      });
      after(() => app?.stop());

      test("none is compiled there", async () => {
        assert.match(await (await fetch(`${app.url}/edge/control`)).text(), /code generation disallowed/);
      });

      keepsTheContract("on the Edge runtime", given, EDGE);
    });

    describe("standalone, elsewhere and without its sources", () => {
      const hidden = () => `${project.folder}-hidden`;
      const elsewhere = () => `${project.folder}-standalone`;

      before(async () => {
        renameSync(project.at(".next/standalone"), elsewhere());
        cpSync(project.at(".next/static"), join(elsewhere(), ".next/static"), { recursive: true });
        renameSync(project.folder, hidden());
        const { environment: env } = surroundings;
        app = await startServer("node server.js", {
          cwd: elsewhere(),
          env: { ...userEnvironment(), ...env, HOSTNAME: "127.0.0.1" },
        });
      });
      after(async () => {
        await app?.stop();
        renameSync(hidden(), project.folder);
        rmSync(elsewhere(), { recursive: true });
      });

      keepsTheContract("on Node", given, NODE);
      keepsTheContract("on the Edge runtime", given, EDGE);

      test("a page follows an order with the hooks", () => withPage(app.url, placesAnOrder));
    });
  });

/** Never writes to the file itself: it has a hard link in the cache. */
function replaceFile(path, text) {
  rmSync(path);
  writeFileSync(path, text);
}
