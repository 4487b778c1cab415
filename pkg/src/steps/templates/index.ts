/** Steps for common work. */
import { createConditionalStep } from "./conditional.js";
import { createDelayStep } from "./delay.js";
import { createHttpStep } from "./http.js";
import { createMapStep } from "./map.js";
import { createParallelStep } from "./parallel.js";
import { createTransformStep } from "./transform.js";

export { createConditionalStep } from "./conditional.js";
export { createDelayStep } from "./delay.js";
export { createHttpStep, type FromInput, type HttpBody, type HttpStepOptions } from "./http.js";
export { createMapStep, type MapStepOptions } from "./map.js";
export { type CommonInput, createParallelStep, type Outputs } from "./parallel.js";
export { createTransformStep } from "./transform.js";

/** All templates, by what they make. */
export const stepTemplates = {
  http: createHttpStep,
  delay: createDelayStep,
  transform: createTransformStep,
  conditional: createConditionalStep,
  parallel: createParallelStep,
  map: createMapStep,
} as const;

/** {@link stepTemplates} by another name. */
export const StepTemplates: typeof stepTemplates = stepTemplates;
