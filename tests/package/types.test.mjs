/** Strict consumers of the installed package, checked by tsc in every way a project resolves modules. */
import assert from "node:assert/strict";
import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { BIN, createProject, ROOT } from "./consumer.mjs";

const USES = `
interface Order { orderId: number }

export async function test(): Promise<string> {
  const limits: BrokerLimits = { bodyBytes: 1, delay: "1d", timeout: 10 };
  const options: BrokerOptions = { port: 0, host: "127.0.0.1", db: ":memory:", limits, now: () => 0, onError: ({ message }) => void message };
  const broker: RunningBroker = await startBroker(options);
  broker.wake();
  await broker.idle();
  broker.unref();
  await broker.stop(100);
  // @ts-expect-error there is no such option
  void startBroker({ prot: 1 });
  // @ts-expect-error where it listens does not change
  broker.url = "";
  const port: number = broker.port;
  return \`\${port} \${broker.environment["QSTASH_URL"]} \${broker.currentSigningKey}\`;
}

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
  const kept: number = await context.run("kept", async ({ signal, attempt }) => (signal.aborted ? 0 : attempt + 1), {
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

/** Every type that the official SDK exports. */
export type Official = [
  Everything.AsyncStepFunction<1>, Everything.CallResponse, Everything.CallSettings, Everything.DetailedFinishCondition,
  Everything.Duration, Everything.ExclusiveValidationOptions<1>, Everything.FailureFunctionPayload,
  Everything.FinishCondition, Everything.HeaderParams, Everything.InvokableWorkflow<1, 2>,
  Everything.InvokeStepResponse<1>, Everything.InvokeWorkflowRequest, Everything.LazyInvokeStepParams<1, 2>,
  Everything.NotifyStepResponse, Everything.ParallelCallState, Everything.QStashClientExtraConfig,
  Everything.RequiredExceptFields<{ a?: 1 }, "a">, Everything.Step, Everything.StepFunction<1>,
  Everything.SyncStepFunction<1>, Everything.WaitEventOptions, Everything.WaitRequest, Everything.WaitStepResponse,
  Everything.WorkflowContext, Everything.DLQResumeRestartOptions, Everything.DLQResumeRestartResponse,
  Everything.NotifyResponse, Everything.RawStep, Everything.RouteFunction<1>, Everything.StepError, Everything.StepLog,
  Everything.StepType, Everything.Telemetry, Everything.TriggerOptions, Everything.Waiter, Everything.WorkflowClient,
  Everything.WorkflowReceiver, Everything.WorkflowRunLog, Everything.WorkflowRunLogs, Everything.WorkflowServeOptions,
  Everything.PublicServeOptions,
];

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
import { type BrokerLimits, type BrokerOptions, Receiver, type RunningBroker, startBroker } from "@repo/orchestration/server";
import { OrchestrationError, SignatureError } from "@repo/orchestration";
import type * as Everything from "@repo/orchestration/workflows";
import type { InvokableWorkflow, StandardSchema, Waiter, Webhook } from "@repo/orchestration/workflows";
import { Client as Starter, serve, WorkflowNonRetryableError, WorkflowRetryAfterError } from "@repo/orchestration/workflows";
`;

/** Adapters beside the frameworks' own types. */
const FRAMEWORKS = `
import { verifySignatureCloudflare } from "@repo/orchestration/client/cloudflare";
import { verifySignatureExpress } from "@repo/orchestration/client/express";
import { verifySignatureH3 } from "@repo/orchestration/client/h3";
import { verifySignatureHono } from "@repo/orchestration/client/hono";
import { verifySignatureAppRouter, type VerifySignatureConfig } from "@repo/orchestration/client/nextjs";
import { verifySignatureSvelte } from "@repo/orchestration/client/svelte";
import type { WorkflowContext } from "@repo/orchestration/workflows";
import * as astro from "@repo/orchestration/workflows/astro";
import * as cloudflare from "@repo/orchestration/workflows/cloudflare";
import * as express from "@repo/orchestration/workflows/express";
import * as h3 from "@repo/orchestration/workflows/h3";
import * as hono from "@repo/orchestration/workflows/hono";
import * as nextjs from "@repo/orchestration/workflows/nextjs";
import * as svelte from "@repo/orchestration/workflows/svelte";
import { createApp, defineEventHandler, type H3Event } from "h3";
import { type Context, Hono } from "hono";
import type { IncomingMessage, ServerResponse } from "node:http";

interface Order { orderId: number }
interface Env { QSTASH_TOKEN: string; ORDERS: { get(id: number): Promise<string | null> } }

export default cloudflare.serve<Order, string | null, Env>(async (context) => {
  const { env, ctx } = context.platform;
  // @ts-expect-error there is no such binding
  void env.OTHER;
  return context.run("load", () => { ctx.waitUntil(Promise.resolve()); return env.ORDERS.get(context.requestPayload.orderId); });
});

type App = { Bindings: Env; Variables: { user: string } };
const app = new Hono<App>();
app.post("/one", hono.serve<Order, Env, { user: string }>(async (context) => {
  const user: string = context.platform.var.user;
  await context.run("x", () => context.platform.env.ORDERS.get(user.length));
}));
app.post("/two", hono.serve(async (context: WorkflowContext<Order, Context<App>>) => {
  const user: string = context.platform.get("user");
  await context.run("x", () => user + context.requestPayload.orderId);
}));
app.post("/many/*", hono.serveMany({ one: hono.createWorkflow<Order, void>(async (context) => { await context.sleep("s", 1); }) }));
app.post("/hook", verifySignatureHono(async (c: Context<App>) => c.json({ user: c.get("user") }), { trustProxy: true }));

createApp().use(h3.serve<Order>(async (context) => { await context.run("x", () => 1); }).handler);
createApp().use(h3.serveMany({ one: h3.createWorkflow(async () => {}) }).handler);
createApp().use(verifySignatureH3(async (event: H3Event) => event.path));
createApp().use(defineEventHandler(h3.serve(async (context: WorkflowContext<Order, H3Event>) => {
  await context.run("x", () => context.platform.path);
}).handler));

const config: VerifySignatureConfig = { currentSigningKey: "a", nextSigningKey: "b", url: "https://a.test", clockTolerance: 3, devMode: false };
export const POST: (request: Request, params: { params: Promise<{ id: string }> }) => Promise<Response> =
  verifySignatureAppRouter(async (request: Request, { params }: { params: Promise<{ id: string }> }) =>
    Response.json([await request.json(), (await params).id]), config);
export const pages: (req: IncomingMessage & { headersDistinct: object }, res: ServerResponse) => unknown =
  nextjs.servePagesRouter<Order>(async (context) => { await context.run("x", () => context.platform.req.url); }).handler;
export const route: (req: IncomingMessage, res: ServerResponse, next: () => void) => unknown = express.serve<Order>(async () => {});
export const hook: (req: IncomingMessage, res: ServerResponse, next: () => void) => unknown =
  verifySignatureExpress((req: IncomingMessage, res: ServerResponse) => res.end(req.url));
export const onRequestPost = verifySignatureCloudflare(async (context: { request: Request; env: Env }) => new Response(context.env.QSTASH_TOKEN));

interface Event { request: Request; url: URL; locals: { user: string }; params: Record<string, string> }
export const load: { POST: (event: Event) => Promise<Response> } = svelte.serve<Order, void, Event>(
  async (context) => { await context.run("x", () => context.platform.locals.user); }, { env: {} });
export const verified: (event: Event) => Promise<Response> = verifySignatureSvelte(async ({ locals }: Event) => new Response(locals.user));
export const page = astro.serve(async (context: WorkflowContext<Order, { request: Request; locals: { user: string } }>, api) => {
  await context.run("x", () => api.locals.user);
});
export const many = nextjs.serveMany({ one: nextjs.createWorkflow(async (context: WorkflowContext<Order>) => context.requestPayload.orderId) }, { retries: 1 } as object);
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

  test("adapters, beside the types of Node, Hono and h3", async () => {
    for (const name of ["hono", "h3"]) {
      const from = join(ROOT, "node_modules", name);
      await cp(from, project.path("node_modules", name), { recursive: true, dereference: true });
    }
    assert.equal(await compile("frameworks.ts", FRAMEWORKS, { types: ["node"], skipLibCheck: true }), "");
  });

  for (const { title, file, module, resolution, lib } of PROJECTS) {
    test(title, async () => {
      const types = lib.includes("dom") ? [] : ["node"];
      const options = { module, moduleResolution: resolution, lib, types };
      assert.equal(await compile(file, IMPORTS + USES, options), "");
    });
  }

  /** What tsc says of a file. */
  async function compile(file, text, options) {
    const compilerOptions = {
      target: "es2022",
      module: "esnext",
      moduleResolution: "bundler",
      lib: ["es2022"],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      noEmit: true,
      ...options,
    };
    await project.write({ [file]: text, "tsconfig.json": JSON.stringify({ compilerOptions, files: [file] }) });
    return project.exec(join(BIN, "tsc"), ["-p", "."]).then(
      () => "",
      (error) => error.stdout || error.message,
    );
  }
});
