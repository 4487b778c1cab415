// The SDKs that the checks are made with. The official ones are the judge; ours must pass what they pass.

import * as ownClient from "@repo/orchestration/client";
import * as ownWorkflows from "@repo/orchestration/workflows";
import { serveMany as ownServeMany } from "@repo/orchestration/workflows/cloudflare";
import { Client as Qstash, Receiver } from "@upstash/qstash";
import { serve, Client as Workflow } from "@upstash/workflow";
import { serveMany } from "@upstash/workflow/cloudflare";

export const official = { Qstash, Receiver, Workflow, serve, serveMany };

export const own = {
  Qstash: ownClient.Client,
  Receiver: ownClient.Receiver,
  Workflow: ownWorkflows.Client,
  serve: ownWorkflows.serve,
  serveMany: ownServeMany,
};
