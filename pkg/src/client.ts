/** Publishing messages. */

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
export type * from "./messages.js";
export { Client } from "./qstash.js";
export type { VerifySignatureConfig } from "./receiver/guard.js";
export {
  memoryReplayStore,
  type RedisReplayStoreConfig,
  type ReplayStore,
  redisReplayStore,
} from "./receiver/replay.js";
export { verifySignatureRequest } from "./receiver/request.js";
export { Receiver, type ReceiverConfig, type VerifyRequest } from "./receiver.js";
