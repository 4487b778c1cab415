/** Steps side by side. */
import { OrchestrationError } from "../../errors.js";
import { type AnyStep, type Step, type StepInput, type StepOutput, stepOf, wholeStepOf } from "../step.js";

type Intersection<T> = (T extends unknown ? (of: T) => void : never) extends (of: infer All) => void ? All : never;

/** What all of these steps can work on. */
export type CommonInput<TSteps> =
  Intersection<
    { [Key in keyof TSteps]: TSteps[Key] extends AnyStep ? { input: StepInput<TSteps[Key]> } : never }[keyof TSteps &
      (TSteps extends readonly unknown[] ? number : unknown)]
  > extends { input: infer TInput }
    ? TInput
    : never;

/** What these steps give, in their places. */
export type Outputs<TSteps> = {
  -readonly [Key in keyof TSteps]: TSteps[Key] extends AnyStep ? StepOutput<TSteps[Key]> : never;
};

/**
 * Steps that work on the same input side by side; the result has what they give in the places that they have. The first
 * that fails fails all; in a run the others are not interrupted. A stub with its name stands for all of them, unless one of them
 * has that name.
 *
 * ```ts
 * const loaded = createParallelStep("load", { user: loadUser, orders: loadOrders });
 * const { user, orders } = await loaded.execute(userId);
 * ```
 */
export function createParallelStep<
  const TSteps extends readonly [AnyStep, ...AnyStep[]] | Readonly<Record<string, AnyStep>>,
>(name: string, steps: TSteps): Step<CommonInput<TSteps>, Outputs<TSteps>> {
  const entries = Object.entries(steps as Record<string, AnyStep>);
  if (entries.length === 0)
    throw new OrchestrationError(`the step '${name}' needs at least one step to run`, "InvalidConfiguration");
  const made = entries.some(([, step]) => step.name === name) ? stepOf : wholeStepOf;
  return made(name, async (input: CommonInput<TSteps>, runner) => {
    const outputs = await Promise.all(entries.map(([, step]) => step.perform(input, runner)));
    if (Array.isArray(steps)) return outputs as Outputs<TSteps>;
    return Object.fromEntries(entries.map(([key], index) => [key, outputs[index]])) as Outputs<TSteps>;
  });
}
