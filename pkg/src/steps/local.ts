/** Performs steps in this process, without remembering anything: for unit tests, and for work that need not survive it. */
import { reasonOf } from "../broker.js";
import { type Environment, processEnvironment } from "../environment.js";
import { OrchestrationError, ProviderError } from "../errors.js";
import { jsonOrText } from "../json.js";
import { uuidV4 } from "../privacy/ids.js";
import { pause } from "../resilience/pause.js";
import { within } from "../resilience/within.js";
import { checkExpectation, expected } from "../workflows/expectation.js";
import type { WorkflowClient } from "../workflows/options.js";
import type { CallResponse, CallSettings, NotifyStepResponse } from "../workflows/steps.js";
import { RetryLater, type StepRunner, type StepTools } from "./runner.js";
import { limit, limitOf } from "./timeout.js";

/** What stands for steps, by name: it is called with what the step would have worked on, and gives its result. */
export type Stubs = Readonly<Record<string, (asked: unknown) => unknown>>;

/** How {@link Step.execute} works. */
export interface ExecuteOptions {
  /** Ends it: the function's `signal` is aborted, and so are waits. */
  signal?: AbortSignal | undefined;
  /** Stand for steps, such as actions that would leave the process. */
  stubs?: Stubs | undefined;
  /** What actions send messages through. Default: a client by the settings of {@link env}. */
  client?: WorkflowClient | undefined;
  /** Settings that actions read. Default: the process's environment. */
  env?: Environment | undefined;
}

/** Steps of this process. Retries that a run would leave to its broker are waited for here. */
export function localRunner(options?: ExecuteOptions): StepRunner {
  if (options) return runnerOf(options);
  if (unbound?.env !== processEnvironment()) unbound = runnerOf({});
  return unbound as StepRunner;
}

/** Whether a runner serves all executions without options: what is made of it can be kept. */
export const isUnbound = (runner: StepRunner): boolean => runner === unbound;

/** What serves all executions without options, as long as the environment is the same. */
let unbound: StepRunner | undefined;

function runnerOf(options: ExecuteOptions): StepRunner {
  const { signal, stubs, client, env = processEnvironment() } = options;
  const stubOf = (name: string) => (stubs && Object.hasOwn(stubs, name) ? stubs[name] : undefined);
  const stubbed = <T>(name: string, asked: unknown, work: () => T | Promise<T>): T | Promise<T> => {
    signal?.throwIfAborted();
    const stub = stubOf(name);
    return stub ? (stub(asked) as T) : work();
  };
  return {
    workflowRunId: undefined,
    signal,
    env,
    stub: stubOf,
    client: () => client,
    uuid: uuidV4,
    run: async (name, input, stepFunction, { retries = 0 } = {}) => {
      for (let attempt = 0; ; attempt += 1) {
        try {
          const tools = new LocalTools(attempt, signal);
          return await stubbed(name, input, () => stepFunction(tools));
        } catch (error) {
          if (!(error instanceof RetryLater)) throw error;
          if (attempt >= retries) throw error.cause;
          await pause(error.delayMs, signal);
        }
      }
    },
    sleep: async (name, milliseconds) => stubbed(name, milliseconds, () => pause(milliseconds, signal)),
    call: async <TResult>(name: string, settings: CallSettings) =>
      stubbed<CallResponse<TResult>>(name, settings, () => fetched(name, settings, signal)),
    notify: async (name, eventId, eventData) =>
      stubbed<NotifyStepResponse>(name, { eventId, eventData }, () => {
        throw new OrchestrationError(
          `step '${name}' notifies of '${eventId}', which only a run can: run it by a workflow, or give a stub for it`,
          "Unsupported",
        );
      }),
  };
}

/** Most functions ask for no signal. There is none for all: in some runtimes signals belong to a request. */
export class LocalTools implements StepTools {
  readonly attempt: number;
  readonly workflowRunId = undefined;
  #signal: AbortSignal | undefined;

  constructor(attempt: number, signal: AbortSignal | undefined) {
    this.attempt = attempt;
    this.#signal = signal;
  }

  /** The signal, if somebody has given or asked for one: nothing else can abort. */
  get known(): AbortSignal | undefined {
    return this.#signal;
  }

  get signal(): AbortSignal {
    this.#signal ??= new AbortController().signal;
    return this.#signal;
  }
}

/** The request of a call, made from here, once: retries are the broker's, and those of `withStepRetry`. */
async function fetched<TResult>(
  name: string,
  settings: CallSettings,
  ending: AbortSignal | undefined,
): Promise<CallResponse<TResult>> {
  const { url, method = "GET", headers = {}, body = null, expect } = settings;
  checkExpectation(expect);
  return within(limit(name, limitOf(settings), ending), async (signal) => {
    const response = await fetch(url, { method, headers, signal, body: body as BodyInit | null }).catch((cause) => {
      signal.throwIfAborted();
      throw new ProviderError(`the call '${name}' got no answer: ${reasonOf(cause)}`, { cause });
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const header: Record<string, string[]> = {};
    for (const [key, value] of response.headers) header[key] = [...(header[key] ?? []), value];
    const { status } = response;
    return expected(
      name,
      { status, header, body: bodyOf(bytes, response.headers.get("content-type")) },
      expect,
    ) as CallResponse<TResult>;
  });
}

/** As a run reads it: what its type calls text as JSON, if it is JSON; anything else as one character for each byte. */
function bodyOf(bytes: Uint8Array, type: string | null): unknown {
  if (!TEXTUAL.test(type ?? "")) return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return jsonOrText(new TextDecoder().decode(bytes));
}

const TEXTUAL =
  /^text\/|application\/(json|xml|javascript|x-www-form-urlencoded|xhtml\+xml|ld\+json|rss\+xml|atom\+xml)/;
