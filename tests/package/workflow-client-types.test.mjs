/** One source that uses the workflow client in full compiles against the official package and against ours. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { createCompiler } from "./compiler.mjs";

const SOURCE = `
import { Client, StepTypes, WorkflowAbort, WorkflowError, WorkflowNonRetryableError, WorkflowRetryAfterError } from "PACKAGE";
import type {
  DLQResumeRestartOptions, DLQResumeRestartResponse, NotifyResponse, StepError, StepLog, StepType, TriggerOptions, Waiter,
  WorkflowRunLog, WorkflowRunLogs,
} from "PACKAGE";

export type Names = [
  DLQResumeRestartOptions, DLQResumeRestartResponse, NotifyResponse, StepError, StepLog, StepType, TriggerOptions, Waiter,
  WorkflowRunLog, WorkflowRunLogs,
];

const run: TriggerOptions = {
  url: "https://a.test", body: { a: 1 }, headers: { a: "b" }, workflowRunId: "own", retries: 1, retryDelay: "1000",
  flowControl: { key: "k", parallelism: 1 }, delay: "10s", notBefore: 5, label: ["a", "b"], failureUrl: "https://b.test",
  redact: { body: true, header: ["a"] }, disableTelemetry: true,
};

export async function use(): Promise<unknown[]> {
  const client = new Client({
    token: "t", baseUrl: "http://127.0.0.1:8080", retry: { retries: 2, backoff: (n) => n * 10 }, headers: { a: "b" },
    enableTelemetry: false, devMode: false,
  });
  const { workflowRunId } = await client.trigger(run);
  const many: { workflowRunId: string }[] = await client.trigger([run, { url: "https://a.test" }]);

  let cancelled: number = (await client.cancel(workflowRunId)).cancelled;
  cancelled += (await client.cancel([workflowRunId])).cancelled;
  await client.cancel({ workflowRunIds: ["wfr_a"] });
  await client.cancel({ filter: { workflowUrl: "https://a.test", label: "x" }, count: 5 });
  await client.cancel({ filter: { workflowUrlStartingWith: ["https://a", "https://b"] } });
  await client.cancel({ filter: { label: ["x"], fromDate: new Date(), host: "a.test" } });
  await client.cancel({ all: true, count: 3 });
  await client.cancel({ ids: "wfr_a" });
  await client.cancel({ urlStartingWith: "https://a.test" });

  const notified: NotifyResponse[] = await client.notify({ eventId: "e", eventData: { a: 1 }, workflowRunId: "wfr_a" });
  const waiters: Required<Waiter>[] = await client.getWaiters({ eventId: "e" });

  const { runs, cursor }: WorkflowRunLogs = await client.logs({
    filter: { state: "RUN_FAILED", label: ["x"], workflowUrl: "https://a.test", fromDate: 5, host: "a" }, count: 3,
  });
  await client.logs({ cursor, workflowRunId: "wfr_a", state: "RUN_SUCCESS" });
  const first: WorkflowRunLog | undefined = runs[0];
  const group = first?.steps[0];
  const step: StepLog | undefined = group?.type === "sequential" ? group.steps[0] : undefined;
  const errors: StepError[] = (group?.type === "next" ? group.steps[0]?.errors : undefined) ?? [];
  const status: number | undefined = step?.callResponseStatus;
  const failure = first?.failureFunction?.state === "CALLBACK_FAIL";

  const { messages, cursor: next } = await client.dlq.list({ count: 3, filter: { workflowUrl: "https://a.test", label: "x" } });
  const shown = messages.map(({ dlqId, workflowRunId, failureCallbackInfo }) => [dlqId, workflowRunId, failureCallbackInfo?.state]);
  const resumed: DLQResumeRestartResponse[] = (await client.dlq.resume("1-0", { retries: 3 })).workflowRuns;
  await client.dlq.resume(["1-0"], { flowControl: { key: "k", rate: 2, period: 3 } });
  await client.dlq.resume({ filter: { failureFunctionState: "CALLBACK_FAIL" }, count: 5 });
  const one: DLQResumeRestartResponse = await client.dlq.resume({ dlqId: "1-0", retries: 1 });
  const two: DLQResumeRestartResponse[] = await client.dlq.restart({ dlqId: ["1-0"] });
  await client.dlq.restart({ all: true });
  await client.dlq.restart({ dlqIds: ["1-0"] });
  const told = await client.dlq.retryFailureFunction({ dlqId: "1-0" });
  const deleted: number = (await client.dlq.delete({ filter: { label: "x" }, cursor: "c" })).deleted;
  await client.dlq.delete("1-0");

  const type: StepType = StepTypes[0];
  const thrown: Error[] = [new WorkflowNonRetryableError("no"), new WorkflowRetryAfterError("later", "2m"), new WorkflowError("x")];
  if (thrown[0] instanceof WorkflowAbort) return [thrown[0].stepName];
  return [
    many, cancelled, notified[0]?.waiter.url, waiters[0]?.deadline, step?.stepName, errors, status, failure, shown, next,
    resumed, one.workflowRunId, two[0]?.workflowCreatedAt, told.error, deleted, type,
  ];
}

export async function misuse(client: Client): Promise<void> {
  // @ts-expect-error a run has a URL
  await client.trigger({ body: 1 });
  // @ts-expect-error a filter needs a field
  await client.cancel({ filter: {} });
  // @ts-expect-error the whole URL or its beginning, not both
  await client.cancel({ filter: { workflowUrl: "https://a.test", workflowUrlStartingWith: "https://a" } });
  // @ts-expect-error ids or a filter, not both
  await client.dlq.delete({ dlqIds: ["a"], filter: { label: "x" } });
  // @ts-expect-error failed runs have no host
  await client.dlq.restart({ filter: { host: "a" } });
}
`;

describe("one source, two packages", () => {
  let compiler;

  before(async () => {
    compiler = await createCompiler();
  });

  after(() => compiler.remove());

  for (const [title, name] of [
    ["the official package", "@upstash/workflow"],
    ["ours", "@repo/orchestration/workflows"],
  ]) {
    test(title, async () => {
      const source = SOURCE.replaceAll("PACKAGE", name);
      assert.equal(await compiler.compile({ "app.mts": source }), "");
    });
  }
});
