/** Types flow from a workflow to its hooks, and the examples of the guide compile. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { createCompiler } from "../package/compiler.mjs";
import { ROOT } from "../package/consumer.mjs";

const TYPED = `
import {
  createWorkflowClient, type HeadersSource, type InputOf, type OutputOf, type TypedWorkflow, useWorkflow, useWorkflowList, useWorkflowMetrics,
  useWorkflowRun, useWorkflowSchedule, WorkflowApiError, WorkflowProvider, type WorkflowStatus,
} from "@repo/orchestration/client/next";

import type { anything, chain, nightly, order } from "./workflows.js";

type Order = typeof order;
declare const elsewhere: TypedWorkflow<string, number>;

export const input: InputOf<Order> = { orderId: 1 };
// @ts-expect-error an input of another shape
export const wrong: InputOf<Order> = { orderid: 1 };
export const output: OutputOf<Order> = { receipt: "r" };
export const unknownInput: InputOf<unknown> = { anything: [1] };

export async function hooks(): Promise<unknown[]> {
  const { start, status, output, run, runId, error, connection, cancel, reset } = useWorkflow<Order>("order", { cancelOnUnmount: true });
  const started = await start({ orderId: 1 }, { label: "blue", delay: "1d", signal: new AbortController().signal });
  const id: string = started.workflowRunId;
  // @ts-expect-error the workflow needs an input
  await start();
  // @ts-expect-error of this type
  await start({ orderId: "1" });
  const receipt: string | undefined = output?.receipt ?? run?.output?.receipt;
  // @ts-expect-error there is no such member
  void output?.recipt;
  const known: WorkflowStatus | undefined = status;
  const code: string | undefined = error?.code;
  const isCancelled: boolean = await cancel();
  reset();

  const night = useWorkflow<typeof nightly>("nightly");
  await night.start();
  const count: number | undefined = night.output;
  // @ts-expect-error it takes none
  await night.start("input");
  const loose = useWorkflow("loose");
  await loose.start();
  await loose.start({ any: "thing" });
  // @ts-expect-error nothing is known of it
  void loose.output.member;
  await useWorkflow<typeof anything>("anything").start([1]);
  const piped = useWorkflow<typeof chain>("chain");
  await piped.start("7");
  const sum: number | undefined = piped.output;
  // @ts-expect-error the first step takes a text
  await piped.start(7);
  await useWorkflow<typeof elsewhere>("elsewhere").start("input");

  const followed = useWorkflowRun<Order>(runId, { initialRun: run });
  const again: string | undefined = followed.output?.receipt;
  const none = useWorkflowRun(null);
  if (none.connection === "polling" || connection === "idle") void none.error?.retryAfterMs;
  // @ts-expect-error there is no such connection
  void (connection === "open");

  const { runs, hasMore, loadMore } = useWorkflowList({ workflowId: "order", status: "failed", count: 5 }, { refreshIntervalMs: 5000 });
  loadMore();
  // @ts-expect-error pages are asked for by loadMore
  useWorkflowList({ cursor: "1" });
  // @ts-expect-error there is no such status
  useWorkflowList({ status: "done" });

  const { create, pause, schedules } = useWorkflowSchedule<Order>("order");
  const scheduleId: string = await create({ cron: "0 8 * * 1", input: { orderId: 1 } });
  // @ts-expect-error the input of the workflow
  await create({ cron: "0 8 * * 1", input: 1 });
  await pause(scheduleId);
  // @ts-expect-error of all workflows, one has to be named
  await useWorkflowSchedule().create({ cron: "* * * * *" });
  await useWorkflowSchedule().create({ workflowId: "order", cron: "* * * * *" });
  const next: number | undefined = schedules[0]?.nextRunAt;
  const p95: number | undefined = useWorkflowMetrics({ refreshIntervalMs: 0 }).metrics?.workflows[0]?.steps[0]?.p95Ms;
  return [id, receipt, known, code, isCancelled, count, again, sum, runs, hasMore, next, p95];
}

export async function client(): Promise<void> {
  const headers: HeadersSource = async () => ({ authorization: "Bearer t" });
  const client = createWorkflowClient({ baseUrl: "/api", headers, credentials: "include", fetch, timeoutMs: 1, pollIntervalMs: 1 });
  const receipt: string | undefined = (await client.getRun<Order>("wfr_1")).output?.receipt;
  await client.startWorkflow<Order>("order", { orderId: 1 });
  // @ts-expect-error of another type
  await client.startWorkflow<Order>("order", { orderId: "1" });
  for await (const { output } of client.streamRun<Order>("wfr_1")) void output?.receipt;
  // @ts-expect-error there is no such option
  createWorkflowClient({ baseURL: "/api" });
  try {
    await client.cancelRun("wfr_1");
  } catch (error) {
    if (error instanceof WorkflowApiError && error.code === "NotFound") void [error.status, error.retryable, receipt];
  }
}

export const provided = [
  <WorkflowProvider client={createWorkflowClient()}>{"child"}</WorkflowProvider>,
  <WorkflowProvider baseUrl="/api" headers={{ a: "b" }} />,
  // @ts-expect-error a client or its options
  <WorkflowProvider client={createWorkflowClient()} baseUrl="/api" />,
];
`;

/** What the server has, and what the examples of the guide import the types of. */
const WORKFLOWS = `
import { createStep, defineWorkflow, type WorkflowDefinition } from "@repo/orchestration/server/next";
import type { WorkflowContext } from "@repo/orchestration/workflows";

export const order = defineWorkflow("order", async (context: WorkflowContext<{ orderId: number }>) => ({
  receipt: await context.run("charge", () => String(context.requestPayload.orderId)),
}));
export declare const nightly: WorkflowDefinition<void, number>;
export declare const anything: WorkflowDefinition;
export const chain = defineWorkflow("chain", [
  createStep("parse", (text: string) => Number(text)),
  createStep("double", (value: number) => value * 2),
]);
`;

describe("types of the hooks", () => {
  let compiler;

  before(async () => {
    compiler = await createCompiler();
    for (const name of ["@types/react", "csstype"]) await compiler.link(name);
  });
  after(() => compiler.remove());

  for (const [title, file, options] of [
    ["bundler", "hooks.tsx", { module: "esnext", moduleResolution: "bundler" }],
    ["nodenext", "hooks.tsx", {}],
  ])
    test(title, async () => {
      const said = await compiler.compile(
        { [file]: TYPED, "workflows.ts": WORKFLOWS },
        { jsx: "react-jsx", exactOptionalPropertyTypes: true, ...options },
      );
      assert.equal(said, "");
    });

  test("without React's types a server's project compiles", async () => {
    const said = await compiler.compile(
      {
        "server.mts":
          'import { OrchestrationError } from "@repo/orchestration"; export const name = OrchestrationError.name;',
      },
      { skipLibCheck: false },
    );
    assert.equal(said, "");
  });

  test("the examples of the guide", async () => {
    const text = await readFile(join(ROOT, "docs/engine.md"), "utf8");
    const examples = [...text.matchAll(/```tsx\n([\s\S]*?)```/g)].map(([, block]) => block);
    assert.equal(examples.length, 3);
    const sources = { "workflows.ts": WORKFLOWS };
    for (const [index, block] of examples.entries()) sources[`example-${index}.tsx`] = `${block}\nexport {};\n`;
    const options = { jsx: "react-jsx", module: "esnext", moduleResolution: "bundler" };
    assert.equal(await compiler.compile(sources, options), "");
  });
});
