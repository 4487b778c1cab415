/** Steps for common work, and signals that time out. */
export { createTimeoutSignal, type TimeoutSignal } from "../../resilience/timeout-signal.js";
export { compose, createStep, type Step, type StepHandler, type StepOptions } from "../../steps/step.js";
export * from "../../steps/templates/index.js";
