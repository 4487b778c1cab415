/** Bun and Deno, with the binaries that npm has. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe } from "node:test";

import { installedAt } from "./dependencies.mjs";
import { keepsTheContract } from "./harness/contract.mjs";
import { createProject } from "./harness/project.mjs";
import { startSurroundings } from "./harness/surroundings.mjs";

const RUNTIMES = [
  { name: "bun", scope: "node_modules/@oven", folder: "bin", scripts: { bundled: "start", "from its sources": "dev" } },
  { name: "deno", scope: "node_modules/@deno", folder: ".", scripts: { "from its sources": "start" } },
];

for (const { name, scope, folder, scripts } of RUNTIMES) {
  const program = programFolder(name, scope, folder);
  const isAbsent = existsSync(installedAt(name)) && program === undefined;
  const skip = isAbsent && `npm has no ${name} for ${process.platform} on ${process.arch}`;

  describe(name, { skip }, () => {
    let surroundings;
    let project;

    before(async () => {
      surroundings = await startSurroundings();
      project = await createProject(name, { programs: [program] });
      await project.build();
    });

    after(async () => {
      await surroundings?.stop();
      project?.remove();
    });

    for (const [title, script] of Object.entries(scripts))
      describe(title, () => {
        let app;

        before(async () => {
          app = await project.start(surroundings.environment, script);
        });
        after(() => app?.stop());

        keepsTheContract("over HTTP", () => ({ app, surroundings }));
      });
  });
}

/** The folder of the binary in the project: npm installs the one package that fits the platform. */
function programFolder(name, scope, folder) {
  const packages = join(installedAt(name), scope);
  if (!existsSync(packages)) return undefined;
  const found = readdirSync(packages).find((platform) => existsSync(join(packages, platform, folder, name)));
  return found && join(scope, found, folder);
}
