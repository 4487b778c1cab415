/** Node: its own server, in ES modules and in CommonJS, and frameworks on it, in TypeScript. */
import { after, before, describe } from "node:test";

import { keepsTheContract } from "./harness/contract.mjs";
import { createProject } from "./harness/project.mjs";
import { startSurroundings } from "./harness/surroundings.mjs";

const PROJECTS = [
  { name: "node-esm", paths: { workflow: "/api/workflows/order" } },
  { name: "node-cjs" },
  { name: "express", build: true },
  { name: "hono", build: true, paths: { workflow: "/workflows/order", payment: "Invoke payment" } },
];

for (const { name, build, paths } of PROJECTS)
  describe(name, () => {
    let surroundings;
    let project;
    let app;

    before(async () => {
      surroundings = await startSurroundings();
      project = await createProject(name);
      if (build) await project.build();
      app = await project.start(surroundings.environment);
    });

    after(async () => {
      await app?.stop();
      await surroundings?.stop();
      project?.remove();
    });

    keepsTheContract("over HTTP", () => ({ app, surroundings }), paths);
  });
