/** One source that uses the QStash client in full compiles against the official package and against ours. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { createCompiler } from "./compiler.mjs";

const SOURCE = `
import {
  anthropic, Chat, Client, custom, decodeBase64, FlowControlApi, formatWorkflowError, Messages, openai, QstashChatRatelimitError,
  QstashDailyRatelimitError, QstashEmptyArrayError, QstashError, QstashRatelimitError, QStashWorkflowAbort,
  QStashWorkflowError, Receiver, resend, Schedules, setupAnalytics, SignatureError, startDevServer, upstash, UrlGroups,
} from "PACKAGE";
import type {
  AddEndpointsRequest, BodyInit, ChatCompletion, ChatCompletionChunk, ChatCompletionMessage, ChatRateLimit, ChatRequest,
  CreateScheduleRequest, Endpoint, Event, EventPayload, EventsRequest, FlowControl, FlowControlInfo, GetEventsPayload,
  GetEventsResponse, GetLogsPayload, GetLogsResponse, GlobalParallelismInfo, HeadersInit, HTTPMethods, Log, LogPayload,
  LogsRequest, Message, MessagePayload, OpenAIChatModel, PinFlowControlOptions, PromptChatRequest, PublishBatchRequest,
  PublishJsonRequest, PublishRequest, PublishResponse, PublishToApiResponse, PublishToUrlGroupsResponse,
  PublishToUrlResponse, QueueRequest, RateLimit, ReceiverConfig, RemoveEndpointsRequest, RequestOptions, Schedule, State,
  StreamDisabled, StreamEnabled, StreamParameter, UnpinFlowControlOptions, UrlGroup, VerifyRequest, WithCursor,
} from "PACKAGE";

export type Names = [
  AddEndpointsRequest, BodyInit, ChatCompletion, ChatCompletionChunk, ChatCompletionMessage, ChatRateLimit,
  ChatRequest<StreamEnabled>, CreateScheduleRequest, Endpoint, Event, EventPayload, EventsRequest, FlowControl,
  FlowControlInfo, GetEventsPayload, GetEventsResponse, GetLogsPayload, GetLogsResponse, GlobalParallelismInfo,
  HeadersInit, HTTPMethods, Log, LogPayload, LogsRequest, Message, MessagePayload, OpenAIChatModel,
  PinFlowControlOptions, PromptChatRequest<StreamDisabled>, PublishBatchRequest, PublishJsonRequest, PublishRequest,
  PublishResponse<{ url: string }>, PublishToApiResponse, PublishToUrlGroupsResponse, PublishToUrlResponse,
  QueueRequest, RateLimit, ReceiverConfig, RemoveEndpointsRequest, RequestOptions, Schedule, State, StreamParameter,
  UnpinFlowControlOptions, UrlGroup, VerifyRequest, WithCursor<{ a: 1 }>, Chat, FlowControlApi, Messages, Schedules,
  UrlGroups,
];

export const config: ReceiverConfig = { currentSigningKey: "a", nextSigningKey: "b" };
const flowControl: FlowControl = { key: "k", rate: 1, period: "1m" };
const request: PublishRequest = { url: "https://a.test", body: "x", flowControl, label: ["a"] };
const schedule: CreateScheduleRequest = {
  destination: "https://a.test", cron: "* * * * *", flowControl: { key: "k", parallelism: 1 }, retryDelay: "1000", delay: 5,
};
const logsRequest: LogsRequest = { filter: { state: "FAILED", label: ["a", "b"], fromDate: new Date() }, count: 3 };

export async function use(): Promise<unknown[]> {
  const client = new Client({
    token: "t", baseUrl: "http://127.0.0.1:8080", retry: { retries: 2, backoff: (n) => n * 10 }, headers: { a: "b" },
    enableTelemetry: false, devMode: false,
  });
  const toUrl: PublishToUrlResponse = await client.publishJSON({ url: "https://a.test", body: { a: 1 }, delay: "10s" });
  const toGroup: PublishToUrlGroupsResponse = await client.publish({ urlGroup: "g", redact: { header: ["x"] } });
  const toModel = await client.publishJSON({
    api: { name: "llm", provider: openai({ token: "t", organization: "o" }), analytics: { name: "helicone", token: "h" } },
    body: {}, callback: "https://a.test",
  });
  await client.publishJSON({ api: { name: "llm", provider: anthropic({ token: "t" }) }, body: {}, callback: "https://a.test" });
  await client.publishJSON({
    api: { name: "llm", provider: custom({ token: "t", baseUrl: "https://b.test" }) }, body: {}, callback: "https://a.test",
  });
  await client.publishJSON({ api: { name: "email", provider: resend({ token: "t", batch: true }) }, body: {} });
  const published = await client.publish(request);
  const batch = await client.batch([{ url: "https://a.test", body: "x", queueName: "q" }]);
  const batchJson = await client.batchJSON([{ url: "https://a.test", body: { a: 1 }, headers: new Headers() }]);
  const ids: string[] = [toUrl.messageId, toModel.messageId, ...toGroup.map(({ messageId }) => messageId)];

  const queue = client.queue({ queueName: "q" });
  await queue.upsert({ parallelism: 2, paused: false });
  const lag: number = (await queue.get()).lag;
  const names: string[] = (await queue.list()).map(({ name }) => name);
  const enqueued = await queue.enqueueJSON({ url: "https://a.test", body: { a: 1 } });
  await queue.enqueue({ url: "https://a.test", body: "x" });
  await queue.pause();
  await queue.resume();
  await queue.delete();

  await client.urlGroups.addEndpoints({ name: "g", endpoints: [{ url: "https://a.test", name: "a" }] });
  await client.urlGroups.removeEndpoints({ name: "g", endpoints: [{ name: "a" }, { url: "https://a.test" }] });
  const group: UrlGroup = await client.urlGroups.get("g");
  const groups: UrlGroup[] = await client.topics.list();
  await client.urlGroups.delete("g");

  const { scheduleId } = await client.schedules.create(schedule);
  const stored: Schedule = await client.schedules.get(scheduleId);
  const schedules: Schedule[] = await client.schedules.list();
  await client.schedules.pause({ schedule: scheduleId });
  await client.schedules.resume({ schedule: scheduleId });
  await client.schedules.delete(scheduleId);

  const message: Message = await client.messages.get("msg_1");
  const cancelled: number = (await client.messages.cancel({ filter: { label: "x", host: ["a"] } })).cancelled;
  await client.messages.cancel("msg_1");
  await client.messages.cancel(["msg_1"]);
  await client.messages.cancel({ messageIds: ["msg_1"] });
  await client.messages.cancel({ all: true });
  await client.messages.delete("msg_1");
  const many: number = (await client.messages.deleteMany(["a"])) + (await client.messages.deleteAll());

  let cursor: string | undefined;
  const { messages, cursor: next } = await client.dlq.listMessages({ filter: { responseStatus: [500] }, count: 3 });
  cursor = next;
  await client.dlq.listMessages({ dlqIds: ["a"] });
  const deleted: number = (await client.dlq.delete({ all: true, count: 10 })).deleted;
  await client.dlq.delete("a");
  await client.dlq.delete({ dlqIds: "a" });
  await client.dlq.deleteMany({ dlqIds: ["a"] });
  const retried: { messageId: string }[] = (await client.dlq.retry({ filter: { urlGroup: "g" } })).responses;

  const logs: GetLogsResponse = await client.logs(logsRequest);
  const one: Log | undefined = logs.logs[0];
  const events: GetEventsResponse = await client.events({ messageIds: ["a"] });
  const info: FlowControlInfo = await client.flowControl.get("k");
  const { parallelismMax }: GlobalParallelismInfo = await client.flowControl.getGlobalParallelism();
  await client.flowControl.pin("k", { parallelism: 1, rate: 2, period: 3 });
  await client.flowControl.unpin("k", { parallelism: true });
  await client.flowControl.pause("k");
  await client.flowControl.resume("k");
  await client.flowControl.resetRate("k");
  await client.workflow.cancel("wfr_1");
  await startDevServer();
  try {
    await new Receiver(config).verify({ signature: "s", body: "b", url: "https://a.test", clockTolerance: 3, upstashRegion: "EU-CENTRAL-1" });
  } catch (error) {
    if (error instanceof QstashRatelimitError || error instanceof QstashDailyRatelimitError) return [error.limit, error.reset];
    if (error instanceof QstashChatRatelimitError) return [error.limitTokens, error.resetRequests];
    if (error instanceof QstashEmptyArrayError || error instanceof QStashWorkflowError) return [error.status];
    if (error instanceof QStashWorkflowAbort) return [error.stepName];
    if (error instanceof QstashError || error instanceof SignatureError) return [error.message];
  }
  return [
    published, batch.length, batchJson.map(({ messageId }) => messageId), ids, lag, names,
    enqueued.url, group.endpoints, groups, stored.isPaused, schedules, message.urlGroup, cancelled, many,
    messages.map(({ dlqId, responseStatus }) => [dlqId, responseStatus]), cursor, deleted, retried, one?.state,
    events.events.length, info.isPaused, parallelismMax, decodeBase64("YQ=="), formatWorkflowError(new Error("x")).error,
    setupAnalytics({ name: "helicone", token: "t" }, "k", "https://a.test", "openai").baseURL, upstash().owner,
  ];
}

export async function misuse(client: Client): Promise<void> {
  // @ts-expect-error a URL or a group, not both
  await client.publish({ url: "https://a.test", urlGroup: "group" });
  // @ts-expect-error flow control needs a limit
  await client.publish({ url: "https://a.test", flowControl: { key: "k" } });
  // @ts-expect-error a filter needs a field
  await client.messages.cancel({ filter: {} });
  // @ts-expect-error ids or a filter, not both
  await client.messages.cancel({ messageIds: ["a"], filter: { label: "x" } });
  // @ts-expect-error dead letters have no host
  await client.dlq.delete({ filter: { host: "a" } });
  // @ts-expect-error a schedule needs a cron
  await client.schedules.create({ destination: "https://a.test" });
}
`;

describe("one source, two packages", () => {
  let compiler;

  before(async () => {
    compiler = await createCompiler();
  });

  after(() => compiler.remove());

  for (const [title, name] of [
    ["the official package", "@upstash/qstash"],
    ["ours", "@repo/orchestration/client"],
  ]) {
    test(title, async () => {
      const source = SOURCE.replaceAll("PACKAGE", name);
      assert.equal(await compiler.compile({ "app.mts": source }, { exactOptionalPropertyTypes: true }), "");
    });
  }
});
