/** Receiving messages. */
export { OrchestrationError, SignatureError } from "./errors.js";
export { Receiver, type ReceiverConfig, type VerifyRequest } from "./receiver.js";
