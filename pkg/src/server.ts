/** Receiving messages, the broker itself, the engine, and what the main entry has. */
export * from "./engine/index.js";
export * from "./index.js";
export { Receiver, type ReceiverConfig, type VerifyRequest } from "./receiver.js";
export { startBroker } from "./server/host.js";
export type { BrokerLimits, BrokerOptions, RunningBroker } from "./server/options.js";
