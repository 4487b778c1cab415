/** One step for many inputs. */
import { OrchestrationError, ValidationError } from "../../errors.js";
import type { StepRunner } from "../runner.js";
import { type Step, stepOf, wholeStepOf } from "../step.js";

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
 * A stub with the step's name stands for it for every element, one named `name[0]` for the first element, and one with a name
 * that the map has for itself for the whole of it.
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
  // A name that both have is that of the work for an element.
  const made = name === step.name ? stepOf : wholeStepOf;
  return made(name, async (inputs: readonly TInput[], runner) => {
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

/**
 * A runner for which `from`, and what begins with it, begins with `to`. Other steps are named as parts of it. A stub for either
 * name counts.
 */
function naming(runner: StepRunner, from: string, to: string): StepRunner {
  const renamed = (name: string) => (name.startsWith(from) ? to + name.slice(from.length) : `${to} ${name}`);
  const stub = (name: string) => runner.stub(renamed(name)) ?? runner.stub(name);
  const stubbed = <T>(name: string, asked: unknown, work: () => Promise<T>): Promise<T> => {
    const found = stub(name);
    return found ? runner.run(renamed(name), asked, () => found(asked) as T) : work();
  };
  return {
    ...runner,
    stub,
    run: (name, input, stepFunction, options) => {
      const found = stub(name);
      type Result = ReturnType<typeof stepFunction>;
      return runner.run(renamed(name), input, found ? () => found(input) as Result : stepFunction, options);
    },
    sleep: (name, milliseconds) => stubbed(name, milliseconds, () => runner.sleep(renamed(name), milliseconds)),
    call: (name, settings) => stubbed(name, settings, () => runner.call(renamed(name), settings)),
    notify: (name, eventId, eventData, runId) =>
      stubbed(name, { eventId, eventData }, () => runner.notify(renamed(name), eventId, eventData, runId)),
  };
}
