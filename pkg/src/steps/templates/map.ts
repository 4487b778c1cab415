/** One step for many inputs. */
import { OrchestrationError, ValidationError } from "../../errors.js";
import type { StepRunner } from "../runner.js";
import { type Step, stepOf } from "../step.js";

export interface MapStepOptions {
  /** The name. Default: that of the step. */
  name?: string | undefined;
  /** How many are worked on at once. Default: all. */
  concurrency?: number | undefined;
}

/**
 * A step that does another's work for every element of a list; its results are in the order of the list. In a run each is
 * a durable step of its own, named `name[0]`, `name[1]`, …; the first that fails fails all.
 *
 * ```ts
 * const thumbnails = createMapStep(thumbnail, { concurrency: 5 });
 * ```
 */
export function createMapStep<TInput, TOutput>(
  step: Step<TInput, TOutput>,
  { name = step.name, concurrency = Number.POSITIVE_INFINITY }: MapStepOptions = {},
): Step<readonly TInput[], TOutput[]> {
  if (!(concurrency >= 1))
    throw new OrchestrationError(`concurrency must be a number from 1, not ${concurrency}`, "InvalidConfiguration");
  return stepOf(name, async (inputs: readonly TInput[], runner) => {
    if (!Array.isArray(inputs)) throw new ValidationError(`the step '${name}' works on a list, got ${typeof inputs}`);
    const outputs: TOutput[] = Array(inputs.length);
    let next = 0;
    const lane = async () => {
      while (next < inputs.length) {
        const index = next;
        next += 1;
        outputs[index] = await step.perform(inputs[index] as TInput, naming(runner, step.name, `${name}[${index}]`));
      }
    };
    await Promise.all(Array.from({ length: Math.min(concurrency, inputs.length) }, lane));
    return outputs;
  });
}

/** A runner for which `from`, and what begins with it, begins with `to`. Other steps are named as parts of it. */
function naming(runner: StepRunner, from: string, to: string): StepRunner {
  const renamed = (name: string) => (name.startsWith(from) ? to + name.slice(from.length) : `${to} ${name}`);
  return {
    ...runner,
    stub: (name) => runner.stub(renamed(name)),
    run: (name, ...rest) => runner.run(renamed(name), ...rest),
    sleep: (name, ...rest) => runner.sleep(renamed(name), ...rest),
    call: (name, ...rest) => runner.call(renamed(name), ...rest),
    notify: (name, ...rest) => runner.notify(renamed(name), ...rest),
  };
}
