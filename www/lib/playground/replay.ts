/**
 * A recorded run, played once more by the engine itself: a function that asks for the recorded steps is served by the
 * package, and a broker in memory answers what the engine sends. What is told of each invocation is what the engine received and
 * sent; the results are the recorded ones. Nothing leaves the page.
 */
import type { StepLog } from "../broker/types";
import { idOf, type Outline, outlineOf, RETURN, textOf } from "./outline.ts";

/** What is needed of `@repo/orchestration/workflows` and `/client`. */
export interface Sdk {
  serve: (
    workflow: (context: Context) => Promise<unknown>,
    options: object,
  ) => { handler: (request: Request) => Promise<Response> };
  Client: new (config: { baseUrl: string; token: string; retry: false }) => object;
}

/** A workflow's context, as far as it is used here. */
interface Context {
  run: (name: string, work: () => unknown) => Promise<unknown>;
  sleep: (name: string, duration: number | string) => Promise<void>;
  sleepUntil: (name: string, at: number) => Promise<void>;
  call: (name: string, settings: object) => Promise<unknown>;
  waitForEvent: (name: string, event: string, settings?: object) => Promise<unknown>;
  notify: (name: string, event: string, data: unknown) => Promise<unknown>;
}

export interface HistoryEntry {
  messageId: string;
  /** The step, or the payload's text. */
  value: unknown;
  isPlan: boolean;
}

export interface SentRequest {
  method: string;
  /** Path and query. */
  path: string;
  headers: Record<string, string>;
  /** JSON, or text. */
  body: unknown;
}

export interface Invocation {
  /** Why the broker calls. */
  cause: string;
  /** What the request carries. */
  history: HistoryEntry[];
  /** The request's body as it is. */
  body: string;
  headers: Record<string, string>;
  /** Ids of the steps whose results came from the history. */
  replayed: number[];
  /** Ids of the steps whose functions ran. */
  ran: number[];
  /** Ids of the steps that it was about: announced, submitted, or `RETURN`. */
  at: number[];
  sent: SentRequest[];
  status: number;
  answer: unknown;
}

export interface Replay {
  outline: Outline;
  invocations: Invocation[];
  /** What the log does not hold, and so is not shown as it was. */
  notes: string[];
}

const BROKER = "https://broker.invalid";
const APP = "https://app.invalid/workflow";
const RUN_ID = "wfr_replayed";
/** A run of more is told up to there. */
const MOST_INVOCATIONS = 400;

/** One play at a time: each stands in for the page's `fetch`. */
let last: Promise<unknown> = Promise.resolve();

/** Plays begin in the order of their calls. @throws {Error} for what is no run */
export function replay(value: unknown, sdk: Sdk): Promise<Replay> {
  const played = last.then(() => play(value, sdk));
  last = played.catch(() => {});
  return played;
}

async function play(value: unknown, { serve, Client }: Sdk): Promise<Replay> {
  const outline = outlineOf(value);
  const stage = new Stage(outline);
  const client = new Client({ baseUrl: BROKER, token: "playground", retry: false });
  // Neither settings nor keys of whatever this runs in.
  const { handler } = serve((context) => stage.play(context), {
    qstashClient: client,
    receiver: undefined,
    env: {},
    url: APP,
    authorize: () => true,
  });
  await intercepting(
    (request) => stage.receive(request),
    async () => {
      while (stage.isGoingOn && stage.invocations.length < MOST_INVOCATIONS) await stage.deliver(handler);
    },
  );
  if (stage.isGoingOn) stage.note(`Only the first ${MOST_INVOCATIONS} invocations are shown.`);
  return { outline, invocations: stage.invocations, notes: [...stage.notes] };
}

interface Delivery {
  cause: string;
  headers: Record<string, string>;
  body: string;
}

class Stage {
  readonly invocations: Invocation[] = [];
  readonly notes = new Set<string>();
  readonly #outline: Outline;
  readonly #history: { messageId: string; body: string; callType: "step" }[] = [];
  readonly #queue: Delivery[] = [];
  #current: Invocation | undefined;

  constructor(outline: Outline) {
    this.#outline = outline;
    this.#record(outline.payload);
    this.#push("the run starts");
  }

  get isGoingOn(): boolean {
    return this.#queue.length > 0;
  }

  note(text: string): void {
    this.notes.add(text);
  }

  /** The function: the recorded steps, in the order and the groups in which they were. */
  async play(context: Context): Promise<unknown> {
    for (const { steps } of this.#outline.groups) {
      await Promise.all(
        steps.map(async (step) => {
          await this.#ask(context, step);
          this.#current?.replayed.push(idOf(step));
        }),
      );
    }
    const { response, unfinished } = this.#outline;
    this.#current?.at.push(RETURN);
    if (response !== undefined) return parsed(response);
    // The log tells a step's name before its result only if it failed.
    const failure = unfinished?.error;
    return context.run(unfinished?.stepName ?? "the next step", () => {
      this.#current?.ran.push(RETURN);
      throw new Error(failure ?? "the log does not tell what comes next");
    });
  }

  #ask(context: Context, step: StepLog): Promise<unknown> {
    const { stepName: name, stepType, out } = step;
    switch (stepType) {
      case "SleepFor":
        return context.sleep(name, step.sleepFor as number);
      case "SleepUntil":
        return context.sleepUntil(name, step.sleepUntil as number);
      case "Call":
        return context.call(name, {
          url: step.callUrl ?? "https://called.invalid/",
          method: step.callMethod ?? "GET",
          ...(step.callBody === undefined ? {} : { body: step.callBody }),
        });
      case "Wait":
        return context.waitForEvent(
          name,
          step.waitEventId ?? "event",
          step.waitTimeoutDuration ? { timeout: step.waitTimeoutDuration } : {},
        );
      case "Notify": {
        const { eventId, eventData } = (parsed(textOf(out)) ?? {}) as { eventId?: string; eventData?: unknown };
        return context.notify(name, eventId ?? "event", eventData);
      }
      default:
        if (stepType !== "Run")
          this.note(
            `“${name}” (${stepType}) is played as a function that returns its recorded result: its request is another one.`,
          );
        return context.run(name, () => {
          this.#current?.ran.push(idOf(step));
          return parsed(textOf(out));
        });
    }
  }

  async deliver(handler: (request: Request) => Promise<Response>): Promise<void> {
    const delivery = this.#queue.shift();
    if (!delivery) return;
    const current: Invocation = {
      cause: delivery.cause,
      history: historyOf(delivery.body),
      body: delivery.body,
      headers: delivery.headers,
      replayed: [],
      ran: [],
      at: [],
      sent: [],
      status: 0,
      answer: undefined,
    };
    this.#current = current;
    this.invocations.push(current);
    const response = await handler(
      new Request(APP, { method: "POST", headers: delivery.headers, body: delivery.body }),
    );
    current.status = response.status;
    current.answer = parsed(await response.text());
    if (response.status !== 200) this.#queue.length = 0;
  }

  /** What the engine sends: the broker's part. */
  async receive(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const text = await request.text();
    const path = url.pathname + url.search;
    const headers = Object.fromEntries([...request.headers].filter(([name]) => name !== "authorization"));
    const body = parsed(text);
    this.#current?.sent.push({ method: request.method, path, headers, body });
    if (path === "/v2/batch") {
      for (const item of body as Item[]) this.#accept(item.destination, lower(item.headers), item.body ?? "");
      return Response.json((body as Item[]).map((_, index) => ({ messageId: `msg_sent_${index}` })));
    }
    if (path.startsWith("/v2/publish/")) {
      this.#accept(path.slice("/v2/publish/".length), headers, text);
      return Response.json({ messageId: "msg_sent" });
    }
    if (path.startsWith("/v2/wait/")) {
      this.#settle((body as { step: SubmittedStep }).step);
      return Response.json({ messageId: "msg_waits" });
    }
    if (path.startsWith("/v2/notify/")) return Response.json(this.#notified());
    if (request.method === "DELETE") {
      this.#queue.length = 0;
      return Response.json({});
    }
    return Response.json({ error: `${request.method} ${path} is not part of the playground` }, { status: 404 });
  }

  #accept(destination: string, headers: Record<string, string>, body: string): void {
    const forwarded = Object.entries(headers).filter(([name]) => name.startsWith(CALLBACK));
    if (destination === APP) {
      const step = parsed(body) as SubmittedStep;
      this.#current?.at.push(placeOf(step));
      this.#record(body);
      this.#push(causeOf(step), headers["upstash-delay"] ?? headers["upstash-not-before"]);
    } else if (forwarded.length > 0)
      this.#answerCall(Object.fromEntries(forwarded.map(([name, value]) => [name.slice(CALLBACK.length), value])));
  }

  /** What a third party answered comes as a callback. */
  #answerCall(headers: Record<string, string>): void {
    const id = Number(headers["upstash-workflow-stepid"]);
    this.#current?.at.push(id);
    const step = this.#find(id);
    const answer = (parsed(textOf(step?.out)) ?? undefined) as
      | { status?: number; body?: unknown; header?: object }
      | undefined;
    if (!step || answer === undefined) return;
    const body = JSON.stringify({
      status: answer.status ?? step.callResponseStatus ?? 200,
      header: answer.header ?? {},
      body: base64(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body ?? "")),
      retried: 0,
      maxRetries: 0,
    });
    this.#queue.push({ cause: `“${step.stepName}” was answered`, headers: { ...deliveryHeaders(), ...headers }, body });
  }

  /** The result of a wait, which the broker itself puts into the history. */
  #settle(step: SubmittedStep): void {
    const place = placeOf(step);
    this.#current?.at.push(place);
    const recorded = this.#find(place);
    const out = textOf(recorded?.out);
    const isOver = recorded?.state === "STEP_SUCCESS" || out !== undefined || recorded?.waitTimeout === true;
    if (!isOver) return;
    const { targetStep: _, ...rest } = step;
    const result = recorded?.waitTimeout ? { waitTimeout: true } : { out: eventData(out ?? "") };
    this.#record(JSON.stringify({ ...rest, stepId: place, ...result }));
    this.#push(`“${step.stepName}” ${recorded?.waitTimeout ? "waited in vain" : "got its event"}`);
  }

  #notified(): unknown {
    const at = this.#outline.groups
      .flatMap(({ steps }) => steps)
      .find((step) => step.stepType === "Notify" && !this.#current?.replayed.includes(idOf(step)));
    const { notifyResponse } = (parsed(textOf(at?.out)) ?? {}) as { notifyResponse?: unknown };
    return notifyResponse ?? [];
  }

  #find(id: number): StepLog | undefined {
    return this.#outline.groups.flatMap(({ steps }) => steps).find((step) => idOf(step) === id);
  }

  #record(text: string): void {
    this.#history.push({ messageId: `msg_${this.#history.length}`, body: base64(text), callType: "step" });
  }

  #push(cause: string, delay?: string): void {
    const headers = deliveryHeaders();
    this.#queue.push({
      cause: delay ? `${cause}, after ${delay}` : cause,
      headers,
      body: JSON.stringify(this.#history),
    });
  }
}

interface Item {
  destination: string;
  headers: Record<string, string>;
  body?: string;
}

interface SubmittedStep {
  stepId: number;
  stepName: string;
  stepType: string;
  targetStep?: number;
}

const placeOf = ({ stepId, targetStep }: SubmittedStep): number => targetStep || stepId;

const causeOf = ({ stepName, stepType, targetStep }: SubmittedStep): string => {
  if (targetStep) return `the branch “${stepName}” was announced`;
  return stepType.startsWith("Sleep") ? `“${stepName}” is over` : `“${stepName}” has its result`;
};

const CALLBACK = "upstash-callback-forward-";

function deliveryHeaders(): Record<string, string> {
  return {
    "content-type": "application/json",
    "upstash-workflow-init": "false",
    "upstash-workflow-runid": RUN_ID,
    "upstash-workflow-url": APP,
    "upstash-workflow-sdk-version": "1",
  };
}

const lower = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

/** The entries that a request carries; none in a callback. */
function historyOf(body: string): HistoryEntry[] {
  const entries = parsed(body);
  if (!Array.isArray(entries)) return [];
  return (entries as { messageId: string; body: string }[]).map(({ messageId, body: encoded }, index) => {
    const value = parsed(decoded(encoded));
    return { messageId, value, isPlan: index > 0 && Boolean((value as SubmittedStep).targetStep) };
  });
}

/** Events travel in base64; logs tell them as they travel, or as they are. */
function eventData(out: string): string {
  try {
    if (out !== "" && base64(decoded(out)) === out) return out;
  } catch {
    // Not base64.
  }
  return base64(out);
}

function parsed(text: string | undefined): unknown {
  if (text === undefined || text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const base64 = (text: string): string =>
  btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(""));

const decoded = (text: string): string =>
  new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)));

/**
 * While `act` runs, requests to the playground's broker are answered here, and what the engine says of the replayed run is
 * left to the page; all else goes its way.
 */
async function intercepting(answer: (request: Request) => Promise<Response>, act: () => Promise<void>): Promise<void> {
  const real = globalThis.fetch;
  const fake: typeof fetch = (input, init) => {
    const request = input instanceof Request ? input : undefined;
    const url = request?.url ?? String(input);
    return url.startsWith(`${BROKER}/`) ? answer(new Request(input, init)) : real.call(globalThis, input, init);
  };
  const { error } = console;
  const quiet: typeof error = (...told) => {
    if (!String(told[0]).startsWith(`[workflow] ${RUN_ID}:`)) error.apply(console, told);
  };
  globalThis.fetch = fake;
  console.error = quiet;
  try {
    await act();
  } finally {
    if (globalThis.fetch === fake) globalThis.fetch = real;
    if (console.error === quiet) console.error = error;
  }
}
