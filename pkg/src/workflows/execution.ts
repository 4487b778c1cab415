/** One invocation: does the duties that the engine names, until it is to respond. */
import { headerPairs, reasonOf, send } from "../broker.js";
import type { Core, Duty, Failure, Invocation, Note } from "../core/core.js";
import { adopting, StepTimeoutError, WorkflowError, WorkflowStepError } from "../errors.js";
import { jsonOrText } from "../json.js";
import { within } from "../resilience/within.js";
import { type Steps, WorkflowContext } from "./context.js";
import { failureOf } from "./failure.js";
import type { Observer } from "./observer.js";
import type { RouteFunction, WorkflowServeOptions } from "./options.js";
import { readPayload } from "./payload.js";
import type { StepRequest } from "./request.js";
import type { Served } from "./settings.js";
import type { StepTools } from "./steps.js";

type DutyOf<Name extends Duty[0]> = Extract<Duty, [Name, ...unknown[]]>;

/** A step that the function asked for. */
interface Asked extends StepRequest {
  settle: (result: unknown) => void;
  reject: (error: unknown) => void;
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
  readonly #observer: Observer;
  readonly #asked = new Map<number, Asked>();
  readonly #response: Promise<Response>;
  #respond!: (response: Response) => void;
  #fail!: (error: unknown) => void;
  #context: WorkflowContext | undefined;
  /** What user code threw last, unless something was sent since: the cause of an answer that is an error. */
  #thrown: unknown;
  #result: unknown;
  /** Resolves when the middlewares have been told; nothing else may happen meanwhile. */
  #observed: Promise<void> | undefined;
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
    observer: Observer,
  ) {
    this.#core = core;
    this.#engine = engine;
    this.#served = served;
    this.#route = route;
    this.#options = options;
    this.#observer = observer;
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

  ask(make: () => StepRequest): Promise<unknown> {
    if (this.#ended) return forever();
    let ticket: number;
    let request: StepRequest;
    try {
      request = make();
      const { name, ask } = request;
      ticket = adopting(WorkflowError, () => ask(this.#engine, typeof name === "string" ? name : ""));
    } catch (error) {
      return Promise.reject(error);
    }
    if (!this.#grouping) {
      this.#grouping = true;
      this.#poll(TURNS_OF_A_GROUP);
    }
    const settled = new Promise((settle, reject) => {
      this.#asked.set(ticket, { ...request, settle, reject });
    });
    // A step that nobody waits for may fail: that must not end the process.
    settled.catch(() => {});
    return settled;
  }

  cancel(): Promise<void> {
    const cancel = this.#core.Failure.cancel();
    this.#do((engine) => (this.#executing ? engine.handleStepFailure(cancel) : engine.handleFailure(cancel)));
    return forever();
  }

  random(): number {
    return this.#ended ? Math.random() : this.#engine.random();
  }

  uuid(): string {
    return this.#ended ? crypto.randomUUID() : this.#engine.uuid();
  }

  now(): number {
    return this.#ended ? Date.now() : this.#engine.now(Date.now());
  }

  /** Tells the engine something, and does the duties that follow until it waits for the function. */
  async #do(event: Event): Promise<void> {
    try {
      for (let next = this.#tell(event); ; ) {
        if (this.#observer.isWanted && next[0] !== "start") await this.#observe(next);
        switch (next[0]) {
          case "send":
            next = await this.#send(next);
            continue;
          case "run":
            next = await this.#runStep(next);
            continue;
          case "recover":
            next = await this.#recover(next);
            continue;
          case "start":
            return await this.#start(next);
          case "settle":
            return this.#settle(next);
          case "reject":
            return this.#reject(next);
          case "compensate":
            next = await this.#compensate(next);
            continue;
          case "respond":
            return await this.#end(next);
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
    this.#thrown = undefined;
    let event: Event;
    try {
      const { status, body } = await send(request, { retry: this.#served.retry });
      event = (engine) => engine.handleResponse(status, body);
    } catch (error) {
      event = (engine) => engine.handleSendError(reasonOf(error));
    }
    return this.#tell(event);
  }

  async #start([, raw, first, workflowRunId, url, headers, label, ...numbers]: DutyOf<"start">): Promise<void> {
    const [retried, createdAt, invokeCount] = numbers;
    try {
      const { payload: requestPayload, kept } = await readPayload(raw, this.#options);
      if (first) this.#engine.setTriggerBody(kept);
      const { env, qstashClient, platform } = this.#served;
      const run = { requestPayload, workflowRunId, url, retried, invokeCount, workflowRunCreatedAt: createdAt ?? 0 };
      const labels = label ? label.split(",") : [];
      const facts = { ...run, env, qstashClient, platform, labels, headers: new Headers(headerPairs(headers)) };
      this.#context = new WorkflowContext(facts, this);
      if (this.#observer.isWanted) await this.#observe(IDLE);
    } catch (error) {
      this.#do((engine) => engine.refusePayload(this.#failure(error)));
      return;
    }
    this.#call(this.#context);
  }

  /** Calls the function, once. */
  async #call(context: WorkflowContext): Promise<void> {
    let event: Event;
    try {
      this.#result = await this.#route(context);
      event = writing(this.#result, (engine, result) => engine.handleReturn(result));
    } catch (error) {
      event = (engine) => engine.handleFailure(this.#failure(error));
    }
    this.#returned = true;
    this.#do(event);
  }

  /** Gives a remembered result to the function. */
  #settle([, ticket, others, text]: DutyOf<"settle">): void {
    const asked = this.#asked.get(ticket);
    try {
      asked?.settle((asked.read ?? recalled)(text));
    } catch (error) {
      asked?.reject(error);
    }
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

  #runStep([, ticket, attempt]: DutyOf<"run">): Promise<Duty> {
    const { name, stepFunction, tools, timeout } = this.#asked.get(ticket) as Asked;
    const call = stepFunction as (tools?: StepTools) => unknown;
    const work = () => {
      if (!tools) return call();
      if (timeout === undefined) return call({ signal: new AbortController().signal, attempt });
      const ms = this.#core.timeoutMillis(timeout);
      const expired = () => new StepTimeoutError(name, timeout);
      return within({ ms, expired }, (signal) => call({ signal, attempt }));
    };
    const told = { stepName: name, attempt, context: this.#context as WorkflowContext };
    return this.#execute(this.#observer.isWanted ? () => this.#observer.around(told, work) : work);
  }

  #compensate([, ticket, result]: DutyOf<"compensate">): Promise<Duty> {
    const { compensate } = this.#asked.get(ticket) as Asked;
    return this.#execute(() => compensate?.(recalled(result) as never));
  }

  async #execute(stepFunction: () => unknown): Promise<Duty> {
    this.#executing = true;
    let event: Event;
    try {
      event = writing(await stepFunction(), (engine, out) => engine.handleResult(out));
    } catch (error) {
      event = (engine) => engine.handleStepFailure(this.#failure(error));
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
      if (this.#observer.isWanted)
        await this.#observer.tell("runFailed", { status: failStatus, message: failResponse }, context);
      const result = JSON.stringify(await this.#options.failureFunction?.(failure));
      event = (engine) => engine.handleRecovered(result);
    } catch (error) {
      event = (engine) => engine.handleRecoveryFailure(this.#failure(error));
    }
    return this.#tell(event);
  }

  async #end([, status, headers, body]: DutyOf<"respond">): Promise<void> {
    this.#ended = true;
    this.#observer.workflowRunId ??= this.#engine.runId();
    this.#engine.free();
    const error = status >= 400 ? errorOf(status, body, this.#thrown) : undefined;
    if (error) await this.#observer.debug("onError", { error });
    this.#respond(new Response(body as Uint8Array<ArrayBuffer>, { status, headers: headerPairs(headers) }));
  }

  /** Polls the engine after this many turns of the microtask queue. Steps asked for until then form a group. */
  #poll(turns: number): void {
    const isWaiting = this.#turns !== undefined;
    this.#turns = turns;
    if (isWaiting) return;
    const turn = () => {
      this.#turns = (this.#turns as number) - 1;
      if (this.#turns > 0) return queueMicrotask(turn);
      if (this.#observed) {
        this.#turns = TURNS_OF_A_REACTION;
        return void this.#observed.then(turn);
      }
      this.#turns = undefined;
      this.#grouping = false;
      this.#do((engine) => engine.poll());
    };
    queueMicrotask(turn);
  }

  #failure(thrown: unknown): Failure {
    this.#thrown = thrown;
    return failureOf(this.#core, thrown);
  }

  /** Tells the middlewares what led to this duty, before it is done. */
  async #observe(duty: Duty): Promise<void> {
    if (this.#ended) return;
    const tellAll = async (notes: Note[]) => {
      for (const note of notes) await this.#note(note, duty);
    };
    this.#observer.workflowRunId = this.#engine.runId();
    this.#observed = tellAll(this.#engine.takeNotes());
    await this.#observed;
    this.#observed = undefined;
  }

  #note([event, what]: Note, duty: Duty): Promise<void> | undefined {
    const context = this.#context as WorkflowContext;
    switch (event) {
      case "onInfo":
        return this.#observer.debug(event, { info: what });
      case "onWarning":
        return this.#observer.debug(event, { warning: what });
      case "runStarted":
        return this.#observer.tell(event, {}, context);
      case "runCompleted":
        return this.#observer.tell(event, { result: this.#result }, context);
      case "beforeExecution":
        return this.#observer.tell(event, { stepName: what }, context);
      case "afterExecution": {
        const asked = this.#asked.get(what);
        if (!asked || duty[0] !== "settle") return undefined;
        const { name: stepName, read = recalled } = asked;
        let result: unknown;
        try {
          result = read(duty[3]);
        } catch {
          // It is not what the workflow expects, and is told to it as an error.
          return undefined;
        }
        return this.#observer.tell(event, { stepName, result }, context);
      }
    }
  }

  /** Tells the engine something, unless the invocation is over. */
  #tell(event: Event): Duty {
    return this.#ended ? IDLE : event(this.#engine);
  }
}

/** The error to tell of for an answer; none if the workflow itself has decided what becomes of its run. */
function errorOf(status: number, body: Uint8Array, thrown: unknown): Error | undefined {
  const { error: name, message } = JSON.parse(new TextDecoder().decode(body));
  if (status === 429 || (status === 489 && name === "WorkflowNonRetryableError")) return undefined;
  if (thrown instanceof Error) return thrown;
  return Object.assign(new Error(message), name ? { name } : {});
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
  return text === undefined ? undefined : jsonOrText(text);
}

/** Stays pending: the function has nothing more to do in this invocation. */
const forever = (): Promise<never> => new Promise(() => {});
