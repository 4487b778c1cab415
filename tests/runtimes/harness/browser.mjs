/** Chromium of the system, without a window. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";

import { chromium } from "playwright-core";

const NAMES = ["chromium", "google-chrome", "chrome"];
const PATIENCE_MS = 30_000;

/**
 * Opens a page, hands it to `use`, and closes the browser. What the page throws or logs as an error fails, and so does an
 * answer that isn't there.
 *
 * @param {string} url
 * @param {(page: import("playwright-core").Page) => Promise<void>} use
 */
export async function withPage(url, use) {
  const browser = await chromium.launch({ executablePath: executable(), args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const wrong = [];
    page.on("pageerror", (error) => wrong.push(String(error)));
    page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
    await page.goto(url);
    await use(page);
    assert.deepEqual(wrong, []);
  } finally {
    await browser.close();
  }
}

function executable() {
  for (const name of NAMES) {
    try {
      return execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
    } catch {
      // The next name.
    }
  }
  throw new Error("Chromium is missing; run: scripts/setup test");
}
