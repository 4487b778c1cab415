/** The settings that this package reads. */
export { OrchestrationError } from "./errors.js";
