/** The engine in Next.js. */
export { defineWorkflow } from "../engine/definition.js";
export { compose, createStep } from "../steps/step.js";
