/** The page that places orders; the projects for browsers have the same. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

/** Places an order with the hooks, sees its steps come live, approves it, and reads the receipt. */
export async function placesAnOrder(page) {
  const orderId = randomUUID();
  await page.getByLabel("Order").fill(orderId);
  await page.getByRole("button", { name: "Place order" }).click();
  await page.getByRole("listitem").filter({ hasText: "reserve: completed" }).waitFor();
  await page.getByRole("button", { name: "Approve" }).click();
  await page.getByText(`receipt-${orderId}`).waitFor();
  const steps = await page.getByRole("listitem").allTextContents();
  assert.ok(steps.length >= 6 && steps.every((step) => step.endsWith(": completed")), steps.join());
  // By the rules in wasm, in the page.
  assert.equal(await page.locator("pre").textContent(), "completed, password=[masked value]");
}
