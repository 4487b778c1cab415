/** Receiving messages, the broker itself, and the engine. */
export * from "./engine/index.js";
export { OrchestrationError, SignatureError } from "./errors.js";
export { Receiver, type ReceiverConfig, type VerifyRequest } from "./receiver.js";
export { startBroker } from "./server/host.js";
export type { BrokerLimits, BrokerOptions, RunningBroker } from "./server/options.js";
