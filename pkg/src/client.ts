/** Publishing messages, and managing what the broker keeps: every name that `@upstash/qstash` exports, and more. */

export type { CallOptions, ClientConfig, Retry } from "./config.js";
export {
  type ChatRateLimit,
  OrchestrationError,
  QstashChatRatelimitError,
  QstashDailyRatelimitError,
  QstashEmptyArrayError,
  QstashError,
  QstashRatelimitError,
  type RateLimit,
  SignatureError,
} from "./errors.js";
export type {
  FlowControl,
  HeadersInput,
  HeadersInput as HeadersInit,
  HTTPMethods,
  MessageBody,
  MessageBody as BodyInit,
  Redact,
} from "./messages.js";
export {
  Chat,
  type ChatCompletion,
  type ChatCompletionChunk,
  type ChatCompletionMessage,
  type ChatRequest,
  type OpenAIChatModel,
  type PromptChatRequest,
  type StreamDisabled,
  type StreamEnabled,
  type StreamParameter,
} from "./qstash/chat.js";
export { parseDuration, retryDelays } from "./qstash/delays.js";
export { startDevServer } from "./qstash/dev-server.js";
export { DLQ, type DLQBulkRequest, type DLQListRequest, type DlqMessage } from "./qstash/dlq.js";
export type { DLQFilter, LogsFilter, MessageFilter, State } from "./qstash/filters.js";
export {
  FlowControlApi,
  type FlowControlInfo,
  type GlobalParallelismInfo,
  type PinFlowControlOptions,
  type UnpinFlowControlOptions,
} from "./qstash/flow-control.js";
export {
  decodeBase64,
  formatWorkflowError,
  QStashWorkflowAbort,
  QStashWorkflowError,
  type RequestOptions,
} from "./qstash/helpers.js";
export { Keys, type SigningKeys } from "./qstash/keys.js";
export type {
  Event,
  EventPayload,
  EventsRequest,
  GetEventsPayload,
  GetEventsResponse,
  GetLogsPayload,
  GetLogsResponse,
  Log,
  LogPayload,
  LogsRequest,
  WithCursor,
} from "./qstash/logs.js";
export { type Message, type MessageCancelFilters, type MessagePayload, Messages } from "./qstash/messages.js";
export {
  anthropic,
  custom,
  type EmailProvider,
  type LLMOwner,
  type LLMProvider,
  openai,
  type PublishEmailApi,
  type PublishLLMApi,
  resend,
  setupAnalytics,
  upstash,
} from "./qstash/providers.js";
export type {
  PublishBatchRequest,
  PublishJsonRequest,
  PublishRequest,
  PublishResponse,
  PublishToApiResponse,
  PublishToUrlGroupsResponse,
  PublishToUrlResponse,
} from "./qstash/publish.js";
export { Queue, type QueueRequest, type QueueResponse, type UpsertQueueRequest } from "./qstash/queue.js";
export { type CreateScheduleRequest, type Schedule, Schedules } from "./qstash/schedules.js";
export {
  type AddEndpointsRequest,
  type Endpoint,
  type RemoveEndpointsRequest,
  type UrlGroup,
  UrlGroups,
} from "./qstash/url-groups.js";
export { Client } from "./qstash.js";
export type { SignatureCheck, SignatureCheckName, SignatureExplanation } from "./receiver/explanation.js";
export type { VerifySignatureConfig } from "./receiver/guard.js";
export {
  memoryReplayStore,
  type RedisReplayStoreConfig,
  type ReplayStore,
  redisReplayStore,
} from "./receiver/replay.js";
export { verifySignatureRequest } from "./receiver/request.js";
export { Receiver, type ReceiverConfig, type VerifyRequest } from "./receiver.js";
