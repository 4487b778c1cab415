/** Hiding secrets in what is logged. */
export { OrchestrationError } from "../../errors.js";
