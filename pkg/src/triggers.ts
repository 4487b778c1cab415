/** What starts runs. */
export { OrchestrationError } from "./errors.js";
