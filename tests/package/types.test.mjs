/** Strict consumers of the installed package, checked by tsc in every way a project resolves modules. */
import assert from "node:assert/strict";
import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { BIN, createProject, ROOT } from "./consumer.mjs";

const USES = `
interface Order { orderId: number }

export const { POST, handler, fetch } = serve<Order, { shipped: boolean }>(
  async (context) => {
    const id: number = context.requestPayload.orderId;
    const charge = await context.run("charge", async () => ({ id, amount: 3 }));
    const amount: number = charge.amount;
    const [left, right] = await Promise.all([context.run("left", () => "l"), context.sleep("right", "1d")]);
    const text: string = left;
    const nothing: void = right;
    await context.sleepUntil("moment", new Date());
    // @ts-expect-error steps have names
    await context.run(() => 1);
    // @ts-expect-error the payload has no such member
    context.requestPayload.orderid;
    if (context.retried > 2) throw new WorkflowNonRetryableError("no");
    if (context.labels.length > 2) throw new WorkflowRetryAfterError("later", "30s");
    void [amount, text, nothing, context.env["KEY"]?.length, context.headers.get("x"), context.workflowRunId];
    return { shipped: true };
  },
  {
    qstashClient: new Publisher({ baseUrl: "http://127.0.0.1:8080", token: "t" }),
    receiver: new Receiver({ currentSigningKey: "a", nextSigningKey: "b" }),
    failureFunction: ({ context, failStatus, failResponse }) => {
      const status: number = failStatus;
      // @ts-expect-error a failure function has no steps
      context.run("x", () => 1);
      return \`\${failResponse} \${status} \${context.requestPayload.orderId}\`;
    },
  },
);

// @ts-expect-error a schema and a parser exclude each other
serve(async () => {}, { schema: { parse: (x: unknown) => x }, initialPayloadParser: (text: string) => text });
serve<Order>(async () => {}, { schema: { parse: (payload) => payload as Order } });
serve(async (context) => {
  const { status, body } = await context.call<{ rate: number }>("rates", { url: "https://a.test", retries: 2, timeout: "30s" });
  const rate: number = body.rate + status;
  const { eventData, timeout } = await context.waitForEvent<{ amount: number }>("wait", "paid", { timeout: "1h" });
  const { notifyResponse } = await context.notify("tell", "paid", { rate });
  const webhook: Webhook = await context.createWebhook("make");
  const called = await context.waitForWebhook("called", webhook, "1h");
  const request: Request | undefined = called.timeout ? undefined : called.request;
  const chat = await context.api.openai.call("ask", {
    token: "t",
    operation: "chat.completions.create",
    body: { model: "m", messages: [{ role: "user", content: "hello" }] },
  });
  const text: string | null | undefined = chat.body.choices[0]?.message.content;
  const shipped = await context.invoke("ship", { workflow: ship, body: { orderId: 1 } });
  const done: boolean = shipped.body.shipped && !shipped.isFailed;
  // @ts-expect-error the other workflow takes another payload
  await context.invoke("ship", { workflow: ship, body: "order" });
  const kept: number = await context.run("kept", async ({ signal }) => (signal.aborted ? 0 : 1), {
    retries: 3,
    timeout: 5,
    compensate: (result) => result.toFixed(),
  });
  if (await context.patch("new")) void [context.random(), context.uuid(), context.now(), context.invokeCount];
  await context.qstashClient.publishJSON({ url: "https://a.test", body: 1 });
  const waiters: Waiter[] = notifyResponse.map(({ waiter }) => waiter);
  return [eventData.amount, timeout, request, text, done, kept, waiters] satisfies unknown[];
}, { authorize: (request) => request.headers.has("x"), retries: 5, flowControl: { key: "k", parallelism: 1 } });

declare const ship: InvokableWorkflow<{ orderId: number }, { shipped: boolean }>;

/** What zod, valibot and arktype offer. */
declare const schema: StandardSchema<Order>;
serve(async (context) => { const id: number = context.requestPayload.orderId; return id; }, { schema });

export async function use(request: Request): Promise<Response> {
  const publisher = new Publisher();
  const one: string = (await publisher.publishJSON({ url: "https://a.test", body: { a: 1 }, delay: "10s" })).messageId;
  await publisher.publish({ urlGroup: "group", body: new Uint8Array(1), headers: { "content-type": "a/b" } });
  const many: string[] = (await publisher.batchJSON([{ url: "https://a.test", body: 1 }])).map((answer) => answer.messageId);
  // @ts-expect-error a destination is needed
  await publisher.publish({ body: "x" });
  // @ts-expect-error a URL or a group, not both
  await publisher.publish({ url: "https://a.test", urlGroup: "group" });
  const starter = new Starter({ token: "t", retry: false });
  const run: string = (await starter.trigger({ url: "https://a.test", body: { a: 1 } })).workflowRunId;
  const runs: string[] = (await starter.trigger([{ url: "https://a.test" }])).map((started) => started.workflowRunId);
  const { cancelled } = await starter.cancel([run, ...runs]);
  try {
    await new Receiver().verify({ signature: "x", body: await request.text() });
  } catch (error) {
    if (error instanceof SignatureError) return new Response(error.code, { status: 401 });
  }
  return Response.json({ one, many, cancelled, code: new OrchestrationError("x").code });
}
`;

const IMPORTS = `
import { Client as Publisher } from "@repo/orchestration/client";
import { Receiver } from "@repo/orchestration/server";
import { OrchestrationError, SignatureError } from "@repo/orchestration";
import type { InvokableWorkflow, StandardSchema, Waiter, Webhook } from "@repo/orchestration/workflows";
import { Client as Starter, serve, WorkflowNonRetryableError, WorkflowRetryAfterError } from "@repo/orchestration/workflows";
`;

/** The file's ending decides whether nodenext sees an ES module. */
const PROJECTS = [
  {
    title: "bundler, DOM",
    file: "app.ts",
    module: "esnext",
    resolution: "bundler",
    lib: ["es2022", "dom", "dom.iterable"],
  },
  {
    title: "nodenext, ESM, Node's types",
    file: "app.mts",
    module: "nodenext",
    resolution: "nodenext",
    lib: ["es2022"],
  },
  {
    title: "nodenext, CommonJS, Node's types",
    file: "app.cts",
    module: "nodenext",
    resolution: "nodenext",
    lib: ["es2022"],
  },
  { title: "node16, CommonJS, DOM", file: "app.cts", module: "node16", resolution: "node16", lib: ["es2022", "dom"] },
];

describe("types", () => {
  let project;

  before(async () => {
    project = await createProject();
    await mkdir(project.path("node_modules/@types"), { recursive: true });
    for (const name of ["@types/node", "undici-types"]) {
      await cp(join(ROOT, "node_modules", name), project.path("node_modules", name), {
        recursive: true,
        dereference: true,
      });
    }
  });

  after(() => project.remove());

  for (const { title, file, module, resolution, lib } of PROJECTS) {
    test(title, async () => {
      const config = {
        compilerOptions: {
          target: "es2022",
          module,
          moduleResolution: resolution,
          lib,
          types: lib.includes("dom") ? [] : ["node"],
          strict: true,
          exactOptionalPropertyTypes: true,
          noUncheckedIndexedAccess: true,
          skipLibCheck: false,
          noEmit: true,
        },
        files: [file],
      };
      await project.write({ [file]: IMPORTS + USES, "tsconfig.json": JSON.stringify(config) });
      const output = await project.exec(join(BIN, "tsc"), ["-p", "."]).then(
        () => "",
        (error) => error.stdout || error.message,
      );
      assert.equal(output, "");
    });
  }
});
