/** Starts samples, each by its own client. */
import "server-only";
import { InputError } from "@/lib/server/samples/access";
import { startSummary } from "@/samples/ai/client";
import type { Article } from "@/samples/ai/workflow";
import { requestApproval } from "@/samples/approval/client";
import type { Expense } from "@/samples/approval/workflow";
import { misfit, type Sample, type SampleName, type Values } from "@/samples/catalogue";
import { startBatch } from "@/samples/images/client";
import { startOrder } from "@/samples/order/client";
import type { Order } from "@/samples/order/workflow";
import { reportNow } from "@/samples/report/client";
import { startTrip } from "@/samples/trip/client";
import type { Trip } from "@/samples/trip/workflow";
import { sendIssue } from "@/samples/webhook/client";

/** The values that a sample is started with; absent ones are the initial ones. @throws {InputError} */
export function valuesOf({ fields }: Sample, input: unknown): Values {
  const given = Object(input) as Values;
  const values = Object.fromEntries(fields.map(({ name, initial }) => [name, given[name] ?? initial]));
  const unknown = Object.keys(given).find((name) => !(name in values));
  if (unknown)
    throw new InputError(`the input has no ${unknown}; it has ${Object.keys(values).join(", ") || "nothing"}`);
  for (const field of fields) {
    const problem = misfit(field, values[field.name]);
    if (problem) throw new InputError(problem);
  }
  return values;
}

/** The answer to who started it: 202 with the run, or why there is none. */
export async function start({ name }: Sample, url: string, values: Values): Promise<Response> {
  if (name === "webhook") return sendWebhook(url, values);
  return Response.json(await STARTS[name](url, values), { status: 202 });
}

type Start = (url: string, values: Values) => Promise<{ workflowRunId: string }>;

const STARTS: Record<Exclude<SampleName, "webhook">, Start> = {
  order: (url, values) => startOrder(url, values as unknown as Order),
  approval: (url, values) => requestApproval(url, values as unknown as Expense),
  report: (url) => reportNow(url),
  images: (url, { pictures, width, parallelism }) =>
    startBatch(url, { pictures: Number(pictures), width: Number(width) }, Number(parallelism)),
  ai: (url, values) => startSummary(url, values as unknown as Article),
  trip: (url, values) => startTrip(url, values as unknown as Trip),
};

async function sendWebhook(url: string, { title, forged }: Values): Promise<Response> {
  const secret = process.env.GITHUB_WEBHOOK_SECRET || process.env.SAMPLES_KEY || "";
  const issue = { number: Math.floor(Date.now() / 1_000) % 100_000, title: String(title) };
  const answer = await sendIssue(url, issue, forged ? `not ${secret}` : secret);
  const { error, message, ...run } = (await answer.json()) as {
    error?: string;
    message?: string;
    workflowRunId?: string;
  };
  return answer.ok
    ? Response.json(run, { status: answer.status })
    : Response.json(
        { error: `the webhook was refused with ${answer.status}: ${message}`, code: error },
        { status: answer.status },
      );
}
