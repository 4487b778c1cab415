/** The TypeScript in README and docs compiles. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { createCompiler } from "./compiler.mjs";
import { ROOT } from "./consumer.mjs";

/** What examples take for granted. */
const AMBIENT = `
declare global {
  const process: { env: Record<string, string | undefined> };
  const secret: string;
  const token: string;
  const url: string;
  const callback: string;
  function sessionOf(request: Request): Promise<{ role: string } | undefined>;
  function isAdmin(session: { role: string } | undefined, action: string): boolean;
  const body: unknown;
  const payment: { charge(order: unknown): Promise<string> };
  const stock: { reserve(order: unknown): Promise<void> };
  const mail: { send(order: unknown, charge: string): Promise<void> };
  function validate(orderId: number): Promise<string>;
  interface Env { ORDERS: { put(key: string, value: string): Promise<void> } }
  function charge(order: unknown): Promise<string>;
  function reserve(order: string): Promise<void>;
  function sendReceipt(receipt: string): Promise<void>;
  function ship(order: string): Promise<void>;
  function book(what: string, signal: AbortSignal): Promise<string>;
  function cancelBooking(booking: string): Promise<void>;
  function upgrade(booking: string): Promise<void>;
  function pay(booking: string, rate: number): Promise<void>;
  function taxOf(price: number): number;
}
export {};
`;

/** The application that examples are a part of. */
const APPLICATION = `
declare module "@/lib/workflows" {
  export const engine: import("@repo/orchestration/server").WorkflowEngine;
  export const words: import("@repo/orchestration/server").WorkflowDefinition<string, number>;
  export const order: import("@repo/orchestration/server").WorkflowDefinition<{ orderId: number }, string>;
}
`;

/** The package's own declarations are checked too. */
const LIBRARY = { noUncheckedIndexedAccess: false, skipLibCheck: false };

describe("documentation", () => {
  let compiler;
  before(async () => {
    compiler = await createCompiler();
    for (const name of ["@types/react", "csstype"]) await compiler.link(name);
  });
  after(() => compiler.remove());

  test("every example compiles", async () => {
    const docs = (await readdir(join(ROOT, "docs"))).map((name) => join("docs", name));
    const sources = { "ambient.d.mts": AMBIENT, "application.d.ts": APPLICATION };
    for (const file of ["README.md", "pkg/README.md", ...docs].filter((name) => name.endsWith(".md"))) {
      const text = await readFile(join(ROOT, file), "utf8");
      let count = 0;
      for (const [, block] of text.matchAll(/```ts\n([\s\S]*?)```/g)) {
        count += 1;
        sources[`${file.replaceAll(/[/.]/g, "-")}-${count}.mts`] = `${block}\nexport {};\n`;
      }
    }
    assert.ok(Object.keys(sources).length > 8, `only ${Object.keys(sources).length} examples were found`);
    for (const exactOptionalPropertyTypes of [false, true])
      assert.equal(await compiler.compile(sources, { ...LIBRARY, exactOptionalPropertyTypes }), "");
  });
});
