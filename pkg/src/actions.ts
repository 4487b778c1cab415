/** Ready-made durable steps. */
export { OrchestrationError } from "./errors.js";
