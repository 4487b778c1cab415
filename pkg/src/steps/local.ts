/** Performs steps in this process, without remembering anything: for unit tests, and for work that need not survive it. */
import { OrchestrationError } from "../errors.js";
import { pause } from "../resilience/pause.js";
import type { CallResponse, CallSettings, NotifyStepResponse } from "../workflows/steps.js";
import { RetryLater, type StepRunner, type StepTools } from "./runner.js";

/** What stands for steps, by name: it is called with what the step would have worked on, and gives its result. */
export type Stubs = Readonly<Record<string, (asked: unknown) => unknown>>;

/** How {@link Step.execute} works. */
export interface ExecuteOptions {
  /** Ends it: the function's `signal` is aborted, and so are waits. */
  signal?: AbortSignal | undefined;
  /** Stand for steps, such as actions that would leave the process. */
  stubs?: Stubs | undefined;
}

/** Steps of this process. Retries that a run would leave to its broker are waited for here. */
export function localRunner({ signal = new AbortController().signal, stubs = {} }: ExecuteOptions = {}): StepRunner {
  const stubbed = <T>(name: string, asked: unknown, work: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted();
    const stub = Object.hasOwn(stubs, name) ? stubs[name] : undefined;
    return stub ? Promise.resolve(stub(asked) as T) : work();
  };
  return {
    workflowRunId: undefined,
    run: async (name, input, stepFunction, { retries = 0 } = {}) => {
      for (let attempt = 0; ; attempt += 1) {
        try {
          const tools: StepTools = { signal, attempt, workflowRunId: undefined };
          return await stubbed(name, input, async () => stepFunction(tools));
        } catch (error) {
          if (!(error instanceof RetryLater)) throw error;
          if (attempt >= retries) throw error.cause;
          await pause(error.delayMs, signal);
        }
      }
    },
    sleep: (name, milliseconds) => stubbed(name, milliseconds, () => pause(milliseconds, signal)),
    call: (name, settings) => stubbed(name, settings, () => fetched(settings, signal)),
    notify: (name, eventId, eventData) =>
      stubbed<NotifyStepResponse>(name, { eventId, eventData }, () => {
        throw new OrchestrationError(
          `step '${name}' notifies of '${eventId}', which only a run can: run it by a workflow, or give a stub for it`,
          "Unsupported",
        );
      }),
  };
}

/** The request of a call, made from here. */
async function fetched<TResult>(settings: CallSettings, signal: AbortSignal): Promise<CallResponse<TResult>> {
  const { url, method = "GET", headers = {}, body } = settings;
  const response = await fetch(url, { method, headers, signal, body: (body as string | undefined) ?? null });
  const text = await response.text();
  const header: Record<string, string[]> = {};
  for (const [name, value] of response.headers) header[name] = [...(header[name] ?? []), value];
  return { status: response.status, header, body: parsed(text) as TResult };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
