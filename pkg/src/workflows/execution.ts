/** One invocation: does the duties that the engine names, until it is to respond. */
import { headerPairs, reasonOf, send } from "../broker.js";
import type { Core, Duty, Invocation } from "../core/core.js";
import { adopting, WorkflowError, WorkflowStepError } from "../errors.js";
import { type StepFunction, type Steps, WorkflowContext } from "./context.js";
import { failureOf } from "./failure.js";
import type { RouteFunction, WorkflowServeOptions } from "./options.js";
import { readPayload, writePayload } from "./payload.js";
import type { Served } from "./settings.js";

type DutyOf<Name extends Duty[0]> = Extract<Duty, [Name, ...unknown[]]>;

/** A step that the function asked for. */
interface Asked extends StepRequest {
  settle: (result: unknown) => void;
  reject: (error: unknown) => void;
}

/** What is asked of the engine, and what is done here when its turn comes. */
interface StepRequest {
  name: string;
  ask: (engine: Invocation, name: string) => number;
  stepFunction?: StepFunction<unknown> | undefined;
  /** Milliseconds that one try of the function may take. */
  timeout?: number | undefined;
  compensate?: ((result: unknown) => unknown) | undefined;
  /** Reads the remembered result. */
  read?: (text: string | undefined) => unknown;
}

/** What is told to the engine. */
type Event = (engine: Invocation) => Duty;

const IDLE: Duty = ["idle"];

/** The turn of the microtask queue, counted from the first step of a group, in which the official SDK closes it. */
const TURNS_OF_A_GROUP = 3;
/**
 * Turns that a function has to react to the result of one step while it waits for others too: enough for a chain of
 * this many promises. No timer and no I/O can come in between, so the same reactions are in time in every invocation.
 */
const TURNS_OF_A_REACTION = 64;

export class Execution implements Steps {
  readonly #core: Core;
  readonly #engine: Invocation;
  readonly #served: Served;
  readonly #route: RouteFunction<unknown>;
  readonly #options: WorkflowServeOptions<unknown>;
  readonly #asked = new Map<number, Asked>();
  readonly #response: Promise<Response>;
  #respond!: (response: Response) => void;
  #fail!: (error: unknown) => void;
  #context: WorkflowContext | undefined;
  /** Turns until the engine is polled; `undefined` if it is not going to be. */
  #turns: number | undefined;
  #grouping = false;
  #executing = false;
  #returned = false;
  #ended = false;

  constructor(
    core: Core,
    engine: Invocation,
    served: Served,
    route: RouteFunction<unknown>,
    options: WorkflowServeOptions<unknown>,
  ) {
    this.#core = core;
    this.#engine = engine;
    this.#served = served;
    this.#route = route;
    this.#options = options;
    this.#response = new Promise((resolve, reject) => {
      this.#respond = resolve;
      this.#fail = reject;
    });
  }

  /** Serves the delivery. Resolves when the engine responds, whatever the function is still doing. */
  perform(): Promise<Response> {
    this.#do((engine) => engine.begin());
    return this.#response;
  }

  run(name: string, stepFunction: StepFunction<unknown>): Promise<unknown> {
    return this.#ask({ name, stepFunction, ask: (engine, text) => engine.requestRun(text) });
  }

  sleep(name: string, duration: number | string): Promise<void> {
    return this.#ask({ name, ask: (engine, text) => engine.requestSleep(text, duration) }) as Promise<void>;
  }

  sleepUntil(name: string, moment: Date | string | number): Promise<void> {
    // A number counts as it is; everything else is rounded to the second.
    const seconds = typeof moment === "number" ? moment : Math.round(new Date(moment).getTime() / 1000);
    return this.#ask({ name, ask: (engine, text) => engine.requestSleepUntil(text, seconds) }) as Promise<void>;
  }

  cancel(): Promise<void> {
    this.#log("cancels the run");
    const cancel = this.#core.Failure.cancel();
    this.#do((engine) => (this.#executing ? engine.handleStepFailure(cancel) : engine.handleFailure(cancel)));
    return forever();
  }

  /** Tells the engine something, and does the duties that follow until it waits for the function. */
  async #do(event: Event): Promise<void> {
    try {
      for (let next = this.#tell(event); ; ) {
        switch (next[0]) {
          case "send":
            next = await this.#send(next);
            continue;
          case "run":
            next = await this.#runStep(next[1]);
            continue;
          case "recover":
            next = await this.#recover(next);
            continue;
          case "start":
            return this.#start(next);
          case "settle":
            return this.#settle(next);
          case "reject":
            return this.#reject(next);
          case "compensate":
            next = await this.#compensate(next);
            continue;
          case "respond":
            return this.#end(next);
          case "idle":
            return;
        }
      }
    } catch (error) {
      // A defect of ours; user errors never get here.
      this.#fail(error);
    }
  }

  async #send([, ...request]: DutyOf<"send">): Promise<Duty> {
    let event: Event;
    try {
      const { status, body } = await send(request, { retry: this.#served.retry });
      this.#log(`sent ${request[0]} ${request[1]}: ${status}`);
      event = (engine) => engine.handleResponse(status, body);
    } catch (error) {
      this.#log(`could not send ${request[0]} ${request[1]}: ${reasonOf(error)}`);
      event = (engine) => engine.handleSendError(reasonOf(error));
    }
    return this.#tell(event);
  }

  #start([, raw, first, workflowRunId, url, headers, label, retried, createdAt]: DutyOf<"start">): void {
    try {
      const requestPayload = readPayload(raw, this.#options);
      if (first) this.#engine.setTriggerBody(writePayload(requestPayload));
      const { env, platform } = this.#served;
      const facts = {
        requestPayload,
        workflowRunId,
        url,
        env,
        platform,
        retried,
        workflowRunCreatedAt: createdAt ?? 0,
      };
      this.#context = new WorkflowContext(
        { ...facts, headers: new Headers(headerPairs(headers)), labels: label?.split(",") ?? [] },
        this,
      );
    } catch (error) {
      this.#do((engine) => engine.handleFailure(failureOf(this.#core, error)));
      return;
    }
    this.#call(this.#context);
  }

  /** Calls the function, once. */
  async #call(context: WorkflowContext): Promise<void> {
    let event: Event;
    try {
      event = writing(await this.#route(context), (engine, result) => engine.handleReturn(result));
    } catch (error) {
      event = (engine) => engine.handleFailure(failureOf(this.#core, error));
    }
    this.#returned = true;
    this.#do(event);
  }

  /** Gives a remembered result to the function. */
  #settle([, ticket, others, text]: DutyOf<"settle">): void {
    const asked = this.#asked.get(ticket);
    asked?.settle((asked.read ?? recalled)(text));
    this.#let(others);
  }

  /** Lets the function know how a step has failed for good. */
  #reject([, ticket, others, name, message, stack]: DutyOf<"reject">): void {
    const asked = this.#asked.get(ticket);
    asked?.reject(new WorkflowStepError(asked.name, { name, message, stack }));
    this.#let(others);
  }

  /** Lets the function run on. If it waits for other steps too, it may not react. */
  #let(others: boolean): void {
    if (this.#returned) this.#poll(TURNS_OF_A_GROUP);
    else if (others) this.#poll(TURNS_OF_A_REACTION);
  }

  #runStep(ticket: number): Promise<Duty> {
    const { name, stepFunction } = this.#asked.get(ticket) as Asked;
    this.#log(`runs step '${name}'`);
    return this.#execute(name, stepFunction as StepFunction<unknown>);
  }

  #compensate([, ticket, result]: DutyOf<"compensate">): Promise<Duty> {
    const { name, compensate } = this.#asked.get(ticket) as Asked;
    this.#log(`compensates step '${name}'`);
    return this.#execute(name, () => compensate?.(recalled(result)));
  }

  async #execute(name: string, stepFunction: () => unknown): Promise<Duty> {
    this.#executing = true;
    let event: Event;
    try {
      event = writing(await stepFunction(), (engine, out) => engine.handleResult(out));
    } catch (error) {
      this.#log(`step '${name}' failed: ${reasonOf(error)}`);
      event = (engine) => engine.handleStepFailure(failureOf(this.#core, error));
    }
    this.#executing = false;
    return this.#tell(event);
  }

  async #recover([, failStatus, failResponse, failStack, headers]: DutyOf<"recover">): Promise<Duty> {
    const failHeaders = JSON.parse(headers);
    let event: Event;
    try {
      const context = this.#context as WorkflowContext;
      const failure = { context, failStatus, failResponse, failStack, failHeaders };
      const result = JSON.stringify(await this.#options.failureFunction?.(failure));
      event = (engine) => engine.handleRecovered(result);
    } catch (error) {
      event = (engine) => engine.handleRecoveryFailure(failureOf(this.#core, error));
    }
    return this.#tell(event);
  }

  #end([, status, headers, body]: DutyOf<"respond">): void {
    this.#log(`answers ${status}`);
    this.#ended = true;
    this.#engine.free();
    this.#respond(new Response(body as Uint8Array<ArrayBuffer>, { status, headers: headerPairs(headers) }));
  }

  #ask(request: StepRequest): Promise<unknown> {
    if (this.#ended) return forever();
    const { name, ask } = request;
    let ticket: number;
    try {
      ticket = adopting(WorkflowError, () => ask(this.#engine, typeof name === "string" ? name : ""));
    } catch (error) {
      return Promise.reject(error);
    }
    if (!this.#grouping) {
      this.#grouping = true;
      this.#poll(TURNS_OF_A_GROUP);
    }
    return new Promise((settle, reject) => {
      this.#asked.set(ticket, { ...request, settle, reject });
    });
  }

  /** Polls the engine after this many turns of the microtask queue. Steps asked for until then form a group. */
  #poll(turns: number): void {
    const isWaiting = this.#turns !== undefined;
    this.#turns = turns;
    if (isWaiting) return;
    const turn = () => {
      this.#turns = (this.#turns as number) - 1;
      if (this.#turns > 0) return queueMicrotask(turn);
      this.#turns = undefined;
      this.#grouping = false;
      this.#do((engine) => engine.poll());
    };
    queueMicrotask(turn);
  }

  /** Tells the engine something, unless the invocation is over. */
  #tell(event: Event): Duty {
    return this.#ended ? IDLE : event(this.#engine);
  }

  #log(event: string): void {
    if (this.#options.verbose) console.log(`[workflow] ${this.#context?.workflowRunId ?? "-"} ${event}`);
  }
}

/** Tells of a result as JSON text, or that it can't be written so. */
function writing(result: unknown, tell: (engine: Invocation, text: string | undefined) => Duty): Event {
  let text: string | undefined;
  try {
    text = JSON.stringify(result);
  } catch (error) {
    return (engine) => engine.handleUnserializableResult(reasonOf(error));
  }
  return (engine) => tell(engine, text);
}

/** A remembered result: JSON, or a text that is not JSON and stands for itself. */
function recalled(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Stays pending: the function has nothing more to do in this invocation. */
const forever = (): Promise<never> => new Promise(() => {});
