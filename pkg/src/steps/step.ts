/** Steps: named functions that a workflow runs durably, and any code runs as they are. */
import { OrchestrationError, ValidationError } from "../errors.js";
import type { WorkflowContext } from "../workflows/context.js";
import type { PayloadSchema } from "../workflows/schema.js";
import type { RunOptions } from "../workflows/steps.js";
import { validated } from "../workflows/validation.js";
import { durableRunner } from "./durable.js";
import { type ExecuteOptions, isUnbound, localRunner } from "./local.js";
import type { StepRunner, StepTools } from "./runner.js";

/** A step's function. What it gives is remembered as JSON. */
export type StepHandler<TInput, TOutput> = (input: TInput, tools: StepTools) => TOutput | Promise<TOutput>;

/** An input that may be left out if it can be anything. */
type Given<TInput, TRest extends unknown[]> = unknown extends TInput
  ? [input?: TInput, ...rest: TRest]
  : undefined extends TInput
    ? [input?: TInput, ...rest: TRest]
    : [input: TInput, ...rest: TRest];

/** A unit of work with a name. Decorators such as `withStepRetry` give steps too, and so does {@link compose}. */
export interface Step<TInput = unknown, TOutput = unknown> {
  /** Names it in the run's history, in logs and in errors. */
  readonly name: string;
  /** Does the work in this process. Nothing is remembered: for unit tests, and for work that need not survive it. */
  execute(...given: Given<TInput, [options?: ExecuteOptions]>): Promise<TOutput>;
  /** Does the work as durable steps of a run: each runs once and its result is remembered. */
  run(context: WorkflowContext, ...given: Given<TInput, []>): Promise<TOutput>;
  /** @internal */
  readonly perform: Perform<TInput, TOutput>;
}

/** @internal How a step does its work: it asks a runner. */
export type Perform<TInput, TOutput> = (input: TInput, runner: StepRunner) => Promise<TOutput>;

// biome-ignore lint/suspicious/noExplicitAny: a step of which nothing is known takes what its own type says
export type AnyStep = Step<any, any>;

/** What a step works on. */
export type StepInput<TStep extends AnyStep> = TStep extends Step<infer TInput, unknown> ? TInput : never;
/** What a step gives. */
// biome-ignore lint/suspicious/noExplicitAny: any input
export type StepOutput<TStep extends AnyStep> = TStep extends Step<any, infer TOutput> ? TOutput : never;

/** What can be asked for a step beyond its function. */
export interface StepOptions<TInput, TOutput> {
  /** What the input has to be: a Standard Schema (zod, valibot, arktype), or `parse`. Its output reaches the function. */
  input?: PayloadSchema<TInput> | undefined;
  /** What the function has to give. */
  output?: PayloadSchema<TOutput> | undefined;
  /** Makes up for the step if the run fails later; see `context.run`. */
  compensate?: ((output: TOutput) => unknown) | undefined;
}

/**
 * Makes a step of a function.
 *
 * ```ts
 * const download = createStep("download", async (url: string, { signal }) => (await fetch(url, { signal })).text());
 * await download.execute("https://example.com");             // here and now
 * defineWorkflow("mirror", [download, store]);               // durably
 * ```
 *
 * @throws {OrchestrationError} `InvalidConfiguration` for a name that is empty
 */
export function createStep<TInput = unknown, TOutput = unknown>(
  name: string,
  handler: StepHandler<TInput, TOutput>,
  options: StepOptions<TInput, TOutput> = {},
): Step<TInput, TOutput> {
  if (typeof handler !== "function")
    throw new OrchestrationError(`the step '${name}' needs a function, got ${typeof handler}`, "InvalidConfiguration");
  const { input: inputSchema, output: outputSchema, compensate } = options;
  const runOptions: RunOptions<TOutput> | undefined = compensate && { compensate };
  return stepOf(name, (input, runner) =>
    runner.run(
      name,
      input,
      inputSchema || outputSchema
        ? async (tools) => {
            const given = inputSchema ? await fitting(name, "input", input, inputSchema) : input;
            const made = await handler(given, tools);
            return outputSchema ? fitting(name, "output", made, outputSchema) : made;
          }
        : (tools) => handler(input, tools),
      runOptions,
    ),
  );
}

/**
 * One step of several: each works on what the one before gives, and each is durable by itself.
 *
 * ```ts
 * const mirror = compose(download, withStepRetry(store, { maxAttempts: 5 }));
 * ```
 */
export function compose<A, B>(first: Step<A, B>): Step<A, B>;
export function compose<A, B, C>(first: Step<A, B>, second: Step<B, C>): Step<A, C>;
export function compose<A, B, C, D>(first: Step<A, B>, second: Step<B, C>, third: Step<C, D>): Step<A, D>;
export function compose<A, B, C, D, E>(
  first: Step<A, B>,
  second: Step<B, C>,
  third: Step<C, D>,
  fourth: Step<D, E>,
): Step<A, E>;
export function compose<A, B, C, D, E, F>(
  first: Step<A, B>,
  second: Step<B, C>,
  third: Step<C, D>,
  fourth: Step<D, E>,
  fifth: Step<E, F>,
): Step<A, F>;
export function compose<A, B, C, D, E, F, G>(
  first: Step<A, B>,
  second: Step<B, C>,
  third: Step<C, D>,
  fourth: Step<D, E>,
  fifth: Step<E, F>,
  sixth: Step<F, G>,
  ...rest: Step<G, G>[]
): Step<A, G>;
/** Steps that are not known one by one. */
export function compose<TSteps extends AnyStep[]>(
  ...steps: number extends TSteps["length"] ? TSteps : never[]
): AnyStep;
export function compose(...steps: AnyStep[]): AnyStep {
  if (steps.length === 0) throw new OrchestrationError("compose needs at least one step", "InvalidConfiguration");
  const name = steps.map((step) => step.name).join(" > ");
  return stepOf(name, async (input: unknown, runner) => {
    let value = input;
    for (const step of steps) value = await step.perform(value, runner);
    return value;
  });
}

/** @internal A step that does its work by asking a runner. */
export function stepOf<TInput, TOutput>(name: string, perform: Perform<TInput, TOutput>): Step<TInput, TOutput> {
  if (typeof name !== "string" || name === "")
    throw new OrchestrationError(
      "a step needs a name: it is what the run's history knows it by",
      "InvalidConfiguration",
    );
  return {
    name,
    perform,
    execute: (...[input, options]) => {
      try {
        return perform(input as TInput, localRunner(options));
      } catch (error) {
        return Promise.reject(error);
      }
    },
    run: async (context, ...[input]) => perform(input as TInput, durableRunner(context)),
  };
}

/** @internal A step that a stub with its name stands for as a whole: it is called with the input, and gives the output. */
export const wholeStepOf = <TInput, TOutput>(name: string, perform: Perform<TInput, TOutput>): Step<TInput, TOutput> =>
  stepOf(name, async (input, runner) => {
    const stub = runner.stub(name);
    return stub ? runner.run(name, input, () => stub(input) as TOutput) : perform(input, runner);
  });

/** @internal A step whose parts are performed by a changed runner. */
export function decorated<TInput, TOutput>(
  step: Step<TInput, TOutput>,
  change: (runner: StepRunner) => StepRunner,
): Step<TInput, TOutput> {
  let kept: [StepRunner, StepRunner] | undefined;
  const changed = (runner: StepRunner) => {
    if (!isUnbound(runner)) return change(runner);
    if (kept?.[0] !== runner) kept = [runner, change(runner)];
    return kept[1];
  };
  return stepOf(step.name, (input, runner) => step.perform(input, changed(runner)));
}

/** @internal What a schema makes of a value. */
export async function fitting<T>(step: string, what: string, value: unknown, schema: PayloadSchema<T>): Promise<T> {
  const result = await validated(value, schema);
  if ("value" in result) return result.value;
  throw new ValidationError(`the ${what} of step '${step}' does not fit its schema: ${result.issues}`);
}
