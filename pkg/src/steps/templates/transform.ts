/** Values made of values. */
import { OrchestrationError } from "../../errors.js";
import { type Step, type StepHandler, stepOf } from "../step.js";

/**
 * A step that makes a value of its input, without a message: in a run it is not remembered but done again in every
 * invocation. So it must depend on its input only, and give its result at once. With `durable` it is a remembered step.
 *
 * ```ts
 * const names = createTransformStep("names", (users: User[]) => users.map(({ name }) => name));
 * ```
 */
export function createTransformStep<TInput = unknown, TOutput = unknown>(
  name: string,
  transform: (input: TInput) => TOutput,
  options?: { durable?: false | undefined },
): Step<TInput, TOutput>;
export function createTransformStep<TInput = unknown, TOutput = unknown>(
  name: string,
  transform: StepHandler<TInput, TOutput>,
  options: { durable: true },
): Step<TInput, TOutput>;
export function createTransformStep<TInput, TOutput>(
  name: string,
  transform: StepHandler<TInput, TOutput>,
  { durable = false }: { durable?: boolean | undefined } = {},
): Step<TInput, TOutput> {
  if (durable) return stepOf(name, (input, runner) => runner.run(name, input, (tools) => transform(input, tools)));
  const pure = transform as (input: TInput) => TOutput;
  return stepOf(name, async (input) => atOnce(name, pure(input)));
}

/** @internal A value that is the same in every invocation: what is waited for is not. */
export function atOnce<T>(step: string, value: T): T {
  if (typeof (value as PromiseLike<unknown> | undefined)?.then !== "function") return value;
  throw new OrchestrationError(
    `the function of step '${step}' gave a promise: what it waits for has to be remembered, by the option durable`,
    "InvalidConfiguration",
  );
}
