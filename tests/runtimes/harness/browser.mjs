/** A page in the system's Chromium. */
import assert from "node:assert/strict";

import { startBrowser } from "../../www/lib/browser.mjs";

const PATIENCE_MS = 30_000;

/**
 * Opens a page, hands it to `use`, and closes the browser. What the page throws or logs as an error fails, and so does an
 * answer that isn't there.
 *
 * @param {string} url
 * @param {(page: import("playwright-core").Page) => Promise<void>} use
 */
export async function withPage(url, use) {
  const browser = await startBrowser();
  try {
    const { page, errors } = await browser.open();
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(url);
    await use(page);
    assert.deepEqual(errors, []);
  } finally {
    await browser.close();
  }
}
