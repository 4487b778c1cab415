/** The implementations a scenario can run on. */

/** The reference: `@upstash/workflow`, with its QStash client and receiver. */
export async function official() {
  const [workflow, qstash] = await Promise.all([import("@upstash/workflow"), import("@upstash/qstash")]);
  return {
    name: "@upstash/workflow",
    serve: workflow.serve,
    WorkflowNonRetryableError: workflow.WorkflowNonRetryableError,
    WorkflowRetryAfterError: workflow.WorkflowRetryAfterError,
    WorkflowMiddleware: workflow.WorkflowMiddleware,
    loggingMiddleware: workflow.loggingMiddleware,
    Client: qstash.Client,
    Receiver: qstash.Receiver,
  };
}

/** The package of this repository, as `scripts/build-npm` built it. */
export async function ours() {
  const [workflows, client, server] = await Promise.all([
    import("@repo/orchestration/workflows"),
    import("@repo/orchestration/client"),
    import("@repo/orchestration/server"),
  ]);
  return {
    name: "@repo/orchestration",
    serve: workflows.serve,
    WorkflowNonRetryableError: workflows.WorkflowNonRetryableError,
    WorkflowRetryAfterError: workflows.WorkflowRetryAfterError,
    WorkflowMiddleware: workflows.WorkflowMiddleware,
    loggingMiddleware: workflows.loggingMiddleware,
    Client: client.Client,
    Receiver: server.Receiver,
  };
}
