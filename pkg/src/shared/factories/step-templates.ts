/** Steps for common work, and signals that time out. */
export { createStep } from "../../steps/step.js";
