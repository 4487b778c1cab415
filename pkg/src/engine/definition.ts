/** Workflows, as an engine serves and starts them. */
import { OrchestrationError } from "../errors.js";
import { type AnyStep, compose, type StepInput, type StepOutput } from "../steps/step.js";
import type { WorkflowContext } from "../workflows/context.js";
import type { RouteFunction, WorkflowServeOptions } from "../workflows/options.js";
import type { PayloadSchema } from "../workflows/schema.js";

/** A workflow's function: its steps are asked for on the context. */
export type WorkflowHandler<TInput, TOutput> = RouteFunction<TInput, TOutput>;

/** What can be said of a workflow besides what it does. */
export interface WorkflowOptions<TInput = unknown, TOutput = unknown>
  extends Pick<
    WorkflowServeOptions<TInput, TOutput>,
    "failureFunction" | "retries" | "retryDelay" | "flowControl" | "middlewares" | "verbose"
  > {
  /** What the input has to be: a Standard Schema (zod, valibot, arktype), or `parse`. */
  schema?: PayloadSchema<TInput> | undefined;
  /** The provider that keeps its runs. Default: the engine's. */
  provider?: string | undefined;
  /** For people. */
  description?: string | undefined;
}

/** A workflow with its id, which is the last part of its endpoint's address. */
export interface WorkflowDefinition<TInput = unknown, TOutput = unknown> {
  readonly kind: "workflow";
  readonly id: string;
  readonly handler: WorkflowHandler<TInput, TOutput>;
  readonly options: WorkflowOptions<TInput, TOutput>;
  /** The names of the steps, if it is a list. */
  readonly steps?: readonly string[] | undefined;
  /** Never there: it carries the types to callers and hooks. */
  readonly "~types"?: { input: TInput; output: TOutput };
}

// biome-ignore lint/suspicious/noExplicitAny: every workflow has an input and an output of its own
export type AnyWorkflow = WorkflowDefinition<any, any>;

/** Steps that fit one behind the other; what does not fit is `never`. */
export type Chain<TSteps extends readonly AnyStep[]> = TSteps extends readonly [
  infer TFirst extends AnyStep,
  infer TSecond extends AnyStep,
  ...infer TRest extends readonly AnyStep[],
]
  ? [StepOutput<TFirst>] extends [StepInput<TSecond>]
    ? readonly [TFirst, ...Chain<readonly [TSecond, ...TRest]>]
    : readonly [TFirst, never, ...TRest]
  : TSteps;

type Last<TSteps extends readonly AnyStep[]> = TSteps extends readonly [...AnyStep[], infer TLast extends AnyStep]
  ? TLast
  : AnyStep;

/**
 * Makes a workflow of a function, or of a list of steps that each work on what the one before gives.
 *
 * ```ts
 * export const order = defineWorkflow("order", async (context: WorkflowContext<{ orderId: number }>) => {
 *   const paid = await context.run("charge", () => charge(context.requestPayload.orderId));
 *   await context.sleep("cool down", "1h");
 *   return ship.run(context, paid);
 * });
 * export const mirror = defineWorkflow("mirror", [download, store]);
 * ```
 *
 * @param id letters, digits, `-`, `_` and `.`: it is the last part of the endpoint's address
 * @throws {OrchestrationError} `InvalidConfiguration`
 */
export function defineWorkflow<const TSteps extends readonly [AnyStep, ...AnyStep[]]>(
  id: string,
  steps: TSteps & Chain<TSteps>,
  options?: WorkflowOptions<StepInput<TSteps[0]>, StepOutput<Last<TSteps>>>,
): WorkflowDefinition<StepInput<TSteps[0]>, StepOutput<Last<TSteps>>>;
export function defineWorkflow<TInput = unknown, TOutput = unknown>(
  id: string,
  handler: WorkflowHandler<TInput, TOutput>,
  options?: WorkflowOptions<TInput, TOutput>,
): WorkflowDefinition<TInput, TOutput>;
export function defineWorkflow(
  id: string,
  work: WorkflowHandler<unknown, unknown> | readonly AnyStep[],
  options: WorkflowOptions = {},
): WorkflowDefinition {
  if (!IDS.test(id))
    throw new OrchestrationError(
      `the workflow id '${id}' has to be letters, digits, '-', '_' and '.': it is the last part of an address`,
      "InvalidConfiguration",
    );
  if (typeof work === "function") return { kind: "workflow", id, handler: work, options };
  const pipeline = compose(...work);
  return {
    kind: "workflow",
    id,
    handler: (context: WorkflowContext) => pipeline.run(context, context.requestPayload),
    options,
    steps: work.map(({ name }) => name),
  };
}

const IDS = /^[\w.-]{1,128}$/;
