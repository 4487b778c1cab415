/** Who is told of what a circuit breaker does. */
import { unharmed } from "./listeners.js";

/** What a breaker does with calls. */
export type CircuitState = "closed" | "open" | "half-open";

/** A breaker changed its state. */
export interface CircuitChange {
  /** The breaker's name. */
  name: string;
  /** Unix milliseconds. */
  at: number;
  from: CircuitState;
  to: CircuitState;
}

/** A call ended, or was refused. */
export interface CircuitCall {
  /** The breaker's name. */
  name: string;
  /** Unix milliseconds. */
  at: number;
  /** How long the call took; 0 if it was refused. */
  durationMs: number;
  /** What it failed with. A success has one if the error is none by `isFailure`. */
  error?: unknown;
}

/** The events of a breaker, and what is told with them. */
export interface BreakerEvents {
  open: CircuitChange;
  halfOpen: CircuitChange;
  close: CircuitChange;
  /** Any of these three. */
  stateChange: CircuitChange;
  success: CircuitCall;
  /** A timeout is a failure too. */
  failure: CircuitCall;
  timeout: CircuitCall;
  /** A call was not made. */
  reject: CircuitCall;
}

type Listener = (told: never) => void;

/** Listeners by event. One that throws stops nobody. */
export class BreakerListeners {
  readonly #listeners = new Map<keyof BreakerEvents, Set<Listener>>();

  has(event: keyof BreakerEvents): boolean {
    return this.#listeners.has(event);
  }

  on<TEvent extends keyof BreakerEvents>(event: TEvent, listener: (told: BreakerEvents[TEvent]) => void): () => void {
    // The same function may listen twice, and each has its own end.
    const entry: Listener = (told) => listener(told);
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(entry));
    return () => {
      listeners.delete(entry);
      if (listeners.size === 0 && this.#listeners.get(event) === listeners) this.#listeners.delete(event);
    };
  }

  tell<TEvent extends keyof BreakerEvents>(event: TEvent, told: BreakerEvents[TEvent]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) unharmed(() => listener(told as never));
  }
}
