/** Publishing messages. */

export type { ClientConfig, Retry } from "./config.js";
export { OrchestrationError, QstashError } from "./errors.js";
export type * from "./messages.js";
export { Client } from "./qstash.js";
