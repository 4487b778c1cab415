/** From what a workflow asks for to what the engine is asked. */

import { pairsOf } from "../connection.js";
import type { Invocation, StepOptions } from "../core/core.js";
import { WorkflowError } from "../errors.js";
import type { HeadersInput } from "../messages.js";
import { checkExpectation, expected } from "./expectation.js";
import type {
  CallSettings,
  LazyInvokeStepParams,
  ProviderCallSettings,
  RunOptions,
  StepFunction,
  StepTools,
  WaitEventOptions,
  Webhook,
  WorkflowCallSettings,
} from "./steps.js";
import { requestOf } from "./webhook.js";

/** What is asked of the engine, and what is done here when its turn comes. */
export interface StepRequest {
  name: string;
  ask: (engine: Invocation, name: string) => number;
  stepFunction?: ((tools: StepTools) => unknown) | undefined;
  /** Whether the function is given tools. */
  tools?: boolean;
  /** How long one try of the function may take: seconds, or a duration. */
  timeout?: number | string | undefined;
  compensate?: ((result: never) => unknown) | undefined;
  /** Reads the remembered result; what it throws rejects the step. */
  read?: (text: string | undefined) => unknown;
}

export function runStep<TResult>(
  name: string,
  stepFunction: StepFunction<TResult> | ((tools: StepTools) => unknown),
  options: RunOptions<TResult> | undefined,
): StepRequest {
  // Without options it is called without arguments, as the official SDK does: it may have optional parameters.
  if (!options)
    return { name, stepFunction: stepFunction as () => unknown, ask: (engine, text) => engine.requestRun(text) };
  const { compensate, ...rest } = options;
  const ask = asking("run", { ...rest, compensate: compensate !== undefined });
  return { name, stepFunction, tools: true, timeout: rest.timeout, compensate, ask };
}

export const sleepStep = (name: string, duration: number | string): StepRequest => ({
  name,
  ask: (engine, text) => engine.requestSleep(text, duration),
});

export function sleepUntilStep(name: string, moment: Date | string | number): StepRequest {
  // A number counts as it is; everything else is rounded to the second.
  const seconds = typeof moment === "number" ? moment : Math.round(new Date(moment).getTime() / 1000);
  return { name, ask: (engine, text) => engine.requestSleepUntil(text, seconds) };
}

export function callStep(
  name: string,
  settings: CallSettings | WorkflowCallSettings | ProviderCallSettings,
): StepRequest {
  const { expect, headers, body, ...rest } = given(settings, "call", "url");
  checkExpectation(expect);
  const options = { ...("workflow" in rest ? sibling(rest) : rest), headers: pairs(headers) };
  return {
    name,
    ask: asking("call", options, bytesOf(body)),
    read: (text) => expected(name, JSON.parse(text as string), expect),
  };
}

export function invokeStep(name: string, settings: LazyInvokeStepParams<unknown, unknown>): StepRequest {
  const { headers, body, ...rest } = given(settings, "invoke", "workflow");
  const { useJSONContent } = given(settings.workflow, "invoke", "workflow") as { useJSONContent?: boolean };
  const options = { ...sibling(rest), headers: pairs(headers), body: textOf(body), useJSONContent };
  return { name, ask: asking("invoke", options), read: (text) => withMember("body", text) };
}

export const waitStep = (name: string, eventId: string, options: WaitEventOptions | undefined): StepRequest => ({
  name,
  ask: asking("waitForEvent", { ...options, eventId }),
  read: (text) => ({ eventData: undefined, ...JSON.parse(text as string) }),
});

export const notifyStep = (
  name: string,
  eventId: string,
  eventData: unknown,
  workflowRunId: string | undefined,
): StepRequest => ({
  name,
  ask: asking("notify", { eventId, eventData: JSON.stringify(eventData), workflowRunId }),
  read: (text) => withMember("eventData", text),
});

export const createWebhookStep = (name: string): StepRequest => ({ name, ask: asking("createWebhook", {}) });

export const waitForWebhookStep = (
  name: string,
  webhook: Webhook,
  timeout: number | string | undefined,
): StepRequest => ({
  name,
  ask: asking("waitForWebhook", { eventId: given(webhook, "waitForWebhook", "webhook").eventId, timeout }),
  read: (text) => requestOf(text as string),
});

export const patchStep = (id: string): StepRequest => ({ name: id, ask: asking("patch", {}) });

/** What a step can't do without, from callers without types. */
function given<T>(settings: T, step: string, member: string): T {
  if (typeof settings === "object" && settings !== null) return settings;
  throw new WorkflowError(`${step} needs its ${member}, got ${settings}`, "InvalidRequest", false);
}

function asking<K extends keyof StepOptions>(kind: K, options: StepOptions[K], body?: Uint8Array): StepRequest["ask"] {
  const json = JSON.stringify(options, telling);
  return (engine, name) => engine.requestStep(name, kind, json, body);
}

/** A result whose member is there also if it is `undefined`. */
function withMember(name: string, text: string | undefined): object | undefined {
  if (text === undefined) return undefined;
  const result = JSON.parse(text);
  if (!(name in result)) result[name] = undefined;
  return result;
}

/** The workflow's id instead of the workflow. */
const sibling = <T extends Pick<LazyInvokeStepParams<unknown, unknown>, "workflow">>({ workflow, ...rest }: T) => ({
  ...rest,
  workflowId: (workflow && ("id" in workflow ? workflow.id : workflow.workflowId)) ?? "",
});

/** JSON would write `NaN` as null, which means "not set". */
const telling = (_: string, value: unknown) =>
  typeof value === "number" && !Number.isFinite(value) ? String(value) : value;

/** Headers in the case and the order in which they were given. */
function pairs(headers: HeadersInput | undefined): [string, string][] | undefined {
  if (headers === undefined || headers === null) return undefined;
  const all = Symbol.iterator in headers ? pairsOf(headers) : Object.entries(headers);
  return all.filter(([, value]) => value !== undefined).map(([name, value]) => [name, String(value)]);
}

const textOf = (body: unknown): string | undefined => (typeof body === "string" ? body : JSON.stringify(body));

/** A body's bytes: those that were given, or those of a text; anything else as JSON. */
function bytesOf(body: unknown): Uint8Array | undefined {
  if (body === undefined || body === null) return undefined;
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  if (Object.prototype.toString.call(body) === "[object ArrayBuffer]") return new Uint8Array(body as ArrayBuffer);
  const text = textOf(body);
  return text === undefined ? undefined : new TextEncoder().encode(text);
}
