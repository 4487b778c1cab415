/** Steps for some inputs. */
import { type Step, type StepHandler, stepOf } from "../step.js";
import { atOnce } from "./transform.js";

/**
 * A step that does one thing or another. Without `otherwise` an input that does not qualify is handed on.
 *
 * The predicate is asked in every invocation of a run: it must depend on its input only, and answer at once. With `durable`
 * its answer is remembered, as a step with this name.
 */
export function createConditionalStep<TInput, TThen>(
  name: string,
  predicate: (input: TInput) => boolean,
  then: Step<TInput, TThen>,
  otherwise?: undefined,
  options?: { durable?: false | undefined },
): Step<TInput, TThen | TInput>;
export function createConditionalStep<TInput, TThen, TElse>(
  name: string,
  predicate: (input: TInput) => boolean,
  then: Step<TInput, TThen>,
  otherwise: Step<TInput, TElse>,
  options?: { durable?: false | undefined },
): Step<TInput, TThen | TElse>;
export function createConditionalStep<TInput, TThen, TElse = TInput>(
  name: string,
  predicate: StepHandler<TInput, boolean>,
  then: Step<TInput, TThen>,
  otherwise: Step<TInput, TElse> | undefined,
  options: { durable: true },
): Step<TInput, TThen | TElse>;
export function createConditionalStep<TInput>(
  name: string,
  predicate: StepHandler<TInput, boolean>,
  then: Step<TInput, unknown>,
  otherwise?: Step<TInput, unknown>,
  { durable = false }: { durable?: boolean | undefined } = {},
): Step<TInput, unknown> {
  const pure = predicate as (input: TInput) => boolean;
  return stepOf(name, async (input: TInput, runner) => {
    const isTrue = durable
      ? await runner.run(name, input, (tools) => predicate(input, tools))
      : atOnce(name, pure(input));
    const chosen = isTrue ? then : otherwise;
    return chosen ? chosen.perform(input, runner) : input;
  });
}
