/** A project that has the official packages and ours, and a strict compiler. */
import { mkdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";

import { BIN, createProject, ROOT } from "./consumer.mjs";

const OPTIONS = {
  target: "es2022",
  module: "nodenext",
  moduleResolution: "nodenext",
  lib: ["es2022", "dom", "dom.iterable"],
  types: [],
  strict: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: true,
  noEmit: true,
};

export async function createCompiler() {
  const project = await createProject();
  for (const name of ["@opentelemetry", "@upstash", "neverthrow"])
    await symlink(join(ROOT, "node_modules", name), project.path("node_modules", name));
  return {
    /** Compiles sources, by their names. What the compiler says. */
    async compile(sources, options = {}) {
      const config = { compilerOptions: { ...OPTIONS, ...options }, files: Object.keys(sources) };
      await project.write({ ...sources, "tsconfig.json": JSON.stringify(config) });
      return project.exec(join(BIN, "tsc"), ["--pretty", "false", "-p", "."]).then(
        () => "",
        (error) => error.stdout || error.message,
      );
    },
    /** Adds one of this repository's own packages. */
    async link(name) {
      await mkdir(dirname(project.path("node_modules", name)), { recursive: true });
      await symlink(join(ROOT, "node_modules", name), project.path("node_modules", name));
    },
    remove: () => project.remove(),
  };
}
