/** Ready-made durable steps. */
export type { Dynamic, DynamicBody, Dynamics } from "./actions/action.js";
export { type DelayActionConfig, delayAction } from "./actions/delay.js";
export { type EmailActionConfig, type EmailActionResult, type EmailFields, emailAction } from "./actions/email.js";
export { type HttpActionConfig, type HttpActionResult, httpAction } from "./actions/http.js";
export {
  type AnthropicActionConfig,
  type LlmActionResult,
  llmAction,
  type OpenAIActionConfig,
} from "./actions/llm.js";
export { type NotifyActionConfig, notifyAction } from "./actions/notify.js";
export {
  type EnqueueActionConfig,
  enqueueAction,
  type MessageActionConfig,
  type PublishActionConfig,
  publishAction,
} from "./actions/publish.js";
export {
  type RedisActionConfig,
  type RedisActionSettings,
  type RedisCommands,
  redisAction,
  redisCommands,
} from "./actions/redis.js";
export type { RequestOptions } from "./actions/request.js";
export { OrchestrationError, WorkflowCallError } from "./errors.js";
export type { ExecuteOptions, Stubs } from "./steps/local.js";
