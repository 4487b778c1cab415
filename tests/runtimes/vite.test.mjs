/** A browser application, built by Vite: hooks against the API of another server, and the core in the page. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { delivered, signed } from "../differential/delivery.mjs";
import { withPage } from "./harness/browser.mjs";
import { placesAnOrder } from "./harness/order-page.mjs";
import { createProject } from "./harness/project.mjs";
import { startSurroundings } from "./harness/surroundings.mjs";

const KEY = "sig_of_the_page";

describe("vite", () => {
  let surroundings;
  let server;
  let api;
  let project;
  let app;

  before(async () => {
    surroundings = await startSurroundings();
    server = await createProject("node-esm");
    api = await server.start(surroundings.environment);
    project = await createProject("vite");
    await project.build();
    app = await project.start({ API_URL: api.url });
  });

  after(async () => {
    await app?.stop();
    await api?.stop();
    await surroundings?.stop();
    for (const each of [server, project]) each?.remove();
  });

  test("the page follows an order with the hooks", () => withPage(app.url, placesAnOrder));

  test("the core verifies signatures in the page", () =>
    withPage(app.url, async (page) => {
      const message = signed(delivered('{"text":"é"}', { url: "https://shop.test/inbox" }), { key: KEY });
      const verdictOn = async ({ key = KEY, body = message.body }) => {
        await page.getByLabel("Signing key").fill(key);
        await page.getByLabel("Signature").fill(message.headers["upstash-signature"]);
        await page.getByLabel("Body").fill(body);
        await page.getByRole("button", { name: "Check" }).click();
        const verdict = page.getByRole("status").filter({ hasText: /./ });
        await verdict.waitFor();
        return verdict.textContent();
      };
      assert.equal(await verdictOn({}), "valid");
      assert.equal(await verdictOn({ key: "sig_of_somebody_else" }), "SignatureInvalid");
      assert.equal(await verdictOn({ body: '{"text":"e"}' }), "SignatureBody");
    }));
});
