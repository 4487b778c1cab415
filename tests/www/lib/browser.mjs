// Chromium, and what every page is held to: no error on the console, no serious violation of accessibility.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
/** For people to look at; ignored by git. */
export const SCREENSHOTS = resolve(import.meta.dirname, "../../../target/screenshots");
const LIMIT_MS = 15_000;
const LONGEST_PX = 4_000;
const GRAVE = new Set(["serious", "critical"]);

const CHROMIUM = ["chromium", "google-chrome", "chrome"]
  .flatMap((name) => (process.env.PATH ?? "").split(":").map((folder) => join(folder, name)))
  .find((path) => existsSync(path));

export async function startBrowser() {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  return {
    /** A page of a profile of its own; `tolerate` are console errors that belong to the test. */
    async open({ width = 1280, height = 800, theme = "light", tolerate = /^$/, ...options } = {}) {
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: theme,
        reducedMotion: "reduce",
        ...options,
      });
      context.setDefaultTimeout(LIMIT_MS);
      const page = await context.newPage();
      const errors = [];
      page.on("console", (message) => {
        if (message.type() === "error" && !tolerate.test(message.text())) errors.push(message.text());
      });
      page.on("pageerror", (error) => errors.push(String(error.stack ?? error)));
      return { page, errors, close: () => context.close() };
    },
    close: () => browser.close(),
  };
}

/** Goes to a page, and resolves when its data is there. */
export async function visit(page, url) {
  await page.goto(url, { waitUntil: "load" });
  await settled(page);
}

/** Nothing is a skeleton any more or waits for the rules of masking, and the fonts are there. */
export async function settled(page) {
  await page.locator("main h1, form h1").first().waitFor();
  await page.waitForFunction(
    () =>
      document.querySelector('[role="status"][aria-label^="Loading"]') === null &&
      // biome-ignore lint/performance/useDomNodeTextContent: what is shown, with its lines
      !/(^|\s)…(\s|$)/.test(document.body.innerText),
  );
  await page.evaluate(() => document.fonts.ready.then(() => {}));
}

/** Fails with each serious violation that axe-core finds, and where. */
export async function assertAccessible(page, what) {
  // Not as a script of the page: its policy forbids that.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run({ resultTypes: ["violations"], rules: { "color-contrast": { enabled: true } } }),
  );
  const grave = violations
    .filter(({ impact }) => GRAVE.has(impact))
    .map(
      ({ id, help, nodes }) =>
        `${id}: ${help}\n${nodes.map(({ html, failureSummary }) => `  ${html}\n    ${failureSummary}`).join("\n")}`,
    );
  assert.deepEqual(grave, [], `${what} is not accessible:\n${grave.join("\n")}`);
}

/** What the first view of the list of runs may load. */
const FIRST_LOAD_BYTES = 200 * 1024;

/** Fails if the list of runs loads more scripts than it may, gzip; `url` is that page's. */
export async function assertSmall(page, url) {
  const sizes = new Map();
  page.on("request", (request) => {
    if (request.resourceType() === "script") sizes.set(request.url(), 0);
  });
  await visit(page, url);
  await page.getByRole("heading", { level: 1, name: "Runs" }).waitFor();
  // What is loaded ahead for other pages counts too.
  await page.evaluate(() => new Promise((idle) => requestIdleCallback(idle)));
  for (const script of sizes.keys()) {
    const content = Buffer.from(await (await fetch(script)).arrayBuffer());
    sizes.set(script, gzipSync(content, { level: 9 }).length);
  }
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  console.log(`first view of ${new URL(url).pathname}: ${(total / 1024).toFixed(1)} KB of scripts, gzip`);
  assert.ok(sizes.size > 3, `expected the scripts of an app, saw ${sizes.size}`);
  assert.ok(
    total <= FIRST_LOAD_BYTES,
    `${total} bytes in ${sizes.size} scripts: ${JSON.stringify([...sizes], null, 1)}`,
  );
}

/** All of a page, also what would have to be scrolled to; of a long list only what is on screen. */
export async function screenshot(page, name) {
  mkdirSync(SCREENSHOTS, { recursive: true });
  const size = page.viewportSize();
  const below = await page.evaluate(() => {
    const main = document.querySelector("main");
    return main ? main.scrollHeight - main.clientHeight : 0;
  });
  if (below > 0) await page.setViewportSize({ ...size, height: size.height + Math.min(below, LONGEST_PX) });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
  if (below > 0) await page.setViewportSize(size);
}
