/** What starts runs: objects that `engine.register` takes. */
export type { Trigger, TriggerHost, TriggerSummary, TriggerType } from "./engine/trigger.js";
export { OrchestrationError, SignatureError } from "./errors.js";
export { type EventTriggerOptions, eventTrigger } from "./triggers/event.js";
export { type HttpTriggerOptions, httpTrigger, type TriggerAccess } from "./triggers/http.js";
export {
  type EnqueueingEngine,
  type EnqueueOptions,
  type QueueTrigger,
  type QueueTriggerOptions,
  queueTrigger,
} from "./triggers/queue.js";
export { type ScheduleTriggerOptions, scheduleTrigger } from "./triggers/schedule.js";
export type { RequestTriggerOptions, TriggerBase, Triggered } from "./triggers/trigger.js";
export { type UrlGroupTriggerOptions, urlGroupTrigger } from "./triggers/url-group.js";
export {
  type WebhookSecrets,
  type WebhookTriggerOptions,
  type WebhookVerification,
  webhookTrigger,
} from "./triggers/webhook.js";
export type { WebhookPreset, WebhookSignature } from "./triggers/webhook-schemes.js";
