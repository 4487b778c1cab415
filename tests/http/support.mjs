/** An engine that says what it was asked, for the API alone; and how the API is asked. */

export const RUN = {
  workflowRunId: "wfr_1",
  workflowId: "order",
  provider: "main",
  status: "running",
  startedAt: 1_000,
  labels: [],
  steps: [{ name: "charge", type: "Run", status: "completed", attempts: 1, startedAt: 1_000, durationMs: 5 }],
};

/** Every method of the engine that the API uses; `told` has the calls. */
export function engineDouble(own = {}) {
  const told = [];
  const tell =
    (name, answer) =>
    async (...given) => {
      told.push([name, ...given.map((value) => strip(value))]);
      return typeof answer === "function" ? answer(...given) : answer;
    };
  const engine = {
    executeWorkflow: tell("executeWorkflow", { workflowRunId: "wfr_1", workflowId: "order", provider: "main" }),
    listExecutions: tell("listExecutions", { runs: [RUN], cursor: "next" }),
    getExecution: tell("getExecution", (id) => (id === "wfr_1" ? RUN : undefined)),
    cancelExecution: tell("cancelExecution", true),
    notify: tell("notify", 2),
    listSchedules: tell("listSchedules", []),
    scheduleWorkflow: tell("scheduleWorkflow", { scheduleId: "scd_1" }),
    unscheduleWorkflow: tell("unscheduleWorkflow"),
    pauseSchedule: tell("pauseSchedule"),
    resumeSchedule: tell("resumeSchedule"),
    healthCheck: tell("healthCheck", { status: "healthy", providers: [] }),
    getStatus: () => ({ workflows: [{ workflowId: "order", provider: "main" }] }),
    getMetrics: () => ({ since: 0, workflows: [] }),
    prometheus: () => "# TYPE runs counter\n",
    ...own,
  };
  return { engine, told };
}

/** Without what is absent and without signals. */
function strip(value) {
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).filter(([name, member]) => member !== undefined && name !== "signal");
  return Object.fromEntries(members);
}

/** Asks the API: `GET /runs`, with a body that is sent as JSON. */
export async function ask(api, line, { body, headers = {}, base = "/api/orchestration" } = {}) {
  const [method, path] = line.split(" ");
  const init = { method, headers: { ...headers } };
  if (body !== undefined) init.body = typeof body === "string" ? body : JSON.stringify(body);
  const response = await api[method](new Request(`https://app.test${base}${path}`, init));
  const text = await response.text();
  const type = response.headers.get("content-type") ?? "";
  return [response.status, type.includes("json") ? JSON.parse(text) : text, response];
}
