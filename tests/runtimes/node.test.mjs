/** Node's own server: an engine with its HTTP API in ES modules, a workflow in CommonJS. */
import { after, before, describe } from "node:test";

import { keepsTheContract } from "./harness/contract.mjs";
import { createProject } from "./harness/project.mjs";
import { startSurroundings } from "./harness/surroundings.mjs";

const PROJECTS = [
  { name: "node-esm", paths: { workflow: "/api/workflows/order" } },
  { name: "node-cjs" },
  { name: "express" },
  { name: "hono", paths: { workflow: "/workflows/order", payment: "Invoke payment" } },
];

for (const { name, paths } of PROJECTS)
  describe(name, () => {
    let surroundings;
    let project;
    let app;

    before(async () => {
      surroundings = await startSurroundings();
      project = await createProject(name);
      await project.build();
      app = await project.start(surroundings.environment);
    });

    after(async () => {
      await app?.stop();
      await surroundings?.stop();
      project?.remove();
    });

    keepsTheContract("over HTTP", () => ({ app, surroundings }), paths);
  });
