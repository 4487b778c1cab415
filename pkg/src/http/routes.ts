/** The routes of the HTTP API, each with the action that it is authorized as. */
import type { WorkflowEngine } from "../engine/api.js";
import type { ScheduleOptions, StartOptions } from "../engine/provider.js";
import type { ExecutionFilter, WorkflowExecution, WorkflowStatus } from "../engine/types.js";
import { OrchestrationError } from "../errors.js";
import { contentTypes, expositionFor } from "../monitoring/prometheus.js";
import { invalid, json, membersOf, noContent, textIn } from "./answers.js";
import { type FollowOptions, followed } from "./events.js";

/** What a request asks for, for {@link WorkflowApiOptions.authorize}. */
export type WorkflowApiAction =
  | "workflows:list"
  | "runs:start"
  | "runs:list"
  | "runs:read"
  | "runs:cancel"
  | "events:notify"
  | "schedules:list"
  | "schedules:write"
  | "metrics:read"
  | "health:read";

/** What a route answers with. */
export interface Call {
  engine: WorkflowEngine;
  request: Request;
  /** The parts of the path that the pattern leaves open. */
  parts: string[];
  query: URLSearchParams;
  follow: FollowOptions;
}

export interface Route {
  method: "GET" | "POST" | "DELETE";
  /** Parts of the path; `*` is any. */
  path: readonly string[];
  action: WorkflowApiAction;
  answer(call: Call): Promise<Response>;
}

const route = (line: string, action: WorkflowApiAction, answer: Route["answer"]): Route => {
  const [method, path] = line.split(" ") as [Route["method"], string];
  return { method, path: path.split("/").slice(1), action, answer };
};

export const ROUTES: readonly Route[] = [
  route("GET /workflows", "workflows:list", async ({ engine }) => json({ workflows: engine.getStatus().workflows })),
  route("POST /workflows/*/runs", "runs:start", start),
  route("GET /runs", "runs:list", async ({ engine, query, request }) =>
    json(await engine.listExecutions(filterOf(query), { ...providerOf(query), signal: request.signal })),
  ),
  route("GET /runs/*", "runs:read", async (call) => json(await runOf(call))),
  route("GET /runs/*/history", "runs:read", async (call) => json({ steps: (await runOf(call)).steps })),
  route("GET /runs/*/events", "runs:read", async (call) =>
    followed(call.engine, await runOf(call), call.request.signal, call.follow),
  ),
  route("POST /runs/*/cancel", "runs:cancel", async ({ engine, parts: [runId = ""], query }) =>
    json({ cancelled: await engine.cancelExecution(runId, providerOf(query)) }),
  ),
  route("POST /events/*", "events:notify", notify),
  route("GET /schedules", "schedules:list", async ({ engine, query }) =>
    json({ schedules: await engine.listSchedules(providerOf(query)) }),
  ),
  route("POST /schedules", "schedules:write", schedule),
  route("DELETE /schedules/*", "schedules:write", async ({ engine, parts: [id = ""], query }) => {
    await engine.unscheduleWorkflow(id, providerOf(query));
    return noContent();
  }),
  route("POST /schedules/*/pause", "schedules:write", async ({ engine, parts: [id = ""], query }) => {
    await engine.pauseSchedule(id, providerOf(query));
    return noContent();
  }),
  route("POST /schedules/*/resume", "schedules:write", async ({ engine, parts: [id = ""], query }) => {
    await engine.resumeSchedule(id, providerOf(query));
    return noContent();
  }),
  route("GET /metrics", "metrics:read", metrics),
  route("GET /health", "health:read", async ({ engine, request }) => {
    const health = await engine.healthCheck({ signal: request.signal });
    return json(health, health.status === "unhealthy" ? 503 : 200);
  }),
];

/**
 * The route of a request and the open parts of its path.
 *
 * @throws {OrchestrationError} `NotFound`, or `MethodNotAllowed` if the path has others
 */
export function routed(method: string, path: readonly string[]): [Route, string[]] {
  const fitting = ROUTES.filter((route) => fits(route.path, path));
  const found = fitting.find((route) => route.method === method);
  if (found) return [found, path.filter((_, index) => found.path[index] === "*")];
  if (fitting.length === 0) throw new OrchestrationError(`there is no /${path.join("/")}`, "NotFound");
  const methods = fitting.map((route) => route.method).join(", ");
  throw new OrchestrationError(`/${path.join("/")} takes ${methods}, not ${method}`, "MethodNotAllowed");
}

const fits = (pattern: readonly string[], path: readonly string[]) =>
  pattern.length === path.length && pattern.every((part, index) => part === "*" || part === path[index]);

async function start({ engine, request, parts: [workflowId = ""], query }: Call): Promise<Response> {
  const members = await membersOf(request, ["input", "workflowRunId", "label", "delay"]);
  const { label, delay } = members as { label?: unknown; delay?: unknown };
  if (label !== undefined && typeof label !== "string" && !isTexts(label))
    throw invalid("'label' has to be a text, or a list of texts");
  if (delay !== undefined && typeof delay !== "string" && typeof delay !== "number")
    throw invalid("'delay' has to be seconds, or a duration such as \"10m\"");
  const options: StartOptions = { workflowRunId: textIn(members, "workflowRunId"), label, delay };
  const started = await engine.executeWorkflow(workflowId, members.input, { ...options, ...providerOf(query) });
  return json(started, 202);
}

async function notify({ engine, request, parts: [eventId = ""], query }: Call): Promise<Response> {
  const members = await membersOf(request, ["data", "workflowRunId"]);
  const event = { eventId, data: members.data, workflowRunId: textIn(members, "workflowRunId") };
  return json({ notified: await engine.notify(event, providerOf(query)) });
}

async function schedule({ engine, request, query }: Call): Promise<Response> {
  const members = await membersOf(request, ["workflowId", "cron", "input", "scheduleId"]);
  const [workflowId, cron] = [textIn(members, "workflowId"), textIn(members, "cron")];
  if (!workflowId || !cron) throw invalid("'workflowId' and 'cron' are needed");
  const options: ScheduleOptions & { input?: unknown } = { cron, scheduleId: textIn(members, "scheduleId") };
  if ("input" in members) options.input = members.input;
  return json(await engine.scheduleWorkflow(workflowId, options, providerOf(query)), 201);
}

async function metrics({ engine, request }: Call): Promise<Response> {
  const accepted = request.headers.get("accept") ?? "";
  if (!/text\/plain|openmetrics/.test(accepted)) return json(engine.getMetrics());
  const format = expositionFor(accepted);
  return new Response(engine.prometheus(format), {
    headers: { "content-type": contentTypes[format], "cache-control": "no-store" },
  });
}

async function runOf({ engine, request, parts: [runId = ""], query }: Call): Promise<WorkflowExecution> {
  const run = await engine.getExecution(runId, { ...providerOf(query), signal: request.signal });
  if (run) return run;
  throw new OrchestrationError(
    `there is no run '${runId}'; the broker may have forgotten it, or never known it`,
    "NotFound",
  );
}

/** @throws {OrchestrationError} `InvalidRequest` */
function filterOf(query: URLSearchParams): ExecutionFilter {
  const [status, count] = [query.get("status"), query.get("count")];
  if (status !== null && !STATUSES.includes(status as WorkflowStatus))
    throw invalid(`'status' has to be one of ${STATUSES.join(", ")}`);
  if (count !== null && !/^[1-9]\d{0,2}$/.test(count)) throw invalid("'count' has to be a number from 1 to 999");
  return {
    workflowId: query.get("workflowId") ?? undefined,
    status: (status as WorkflowStatus | null) ?? undefined,
    label: query.get("label") ?? undefined,
    cursor: query.get("cursor") ?? undefined,
    count: count === null ? undefined : Number(count),
  };
}

const STATUSES: readonly WorkflowStatus[] = ["pending", "running", "completed", "failed", "cancelled"];

const providerOf = (query: URLSearchParams) => ({ provider: query.get("provider") ?? undefined });

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string");
