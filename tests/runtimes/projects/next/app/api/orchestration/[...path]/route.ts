import { createWorkflowApi } from "@repo/orchestration/server/next";

import { engine } from "@/lib/engine";

/** What customers may do; schedules and figures are for nobody here. */
const PUBLIC = ["runs:start", "runs:read", "events:notify"];

export const { GET, POST, DELETE, OPTIONS } = createWorkflowApi({
  engine,
  authorize: (_request, { action }) => PUBLIC.includes(action),
});
