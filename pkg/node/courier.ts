/** Carries deliveries: takes from the broker what is due, sends it, and tells the outcome. */
import type { Broker, DeliveryTuple } from "./core.js";
import { messageOf } from "./errors.js";
import type { Exchange, Outcome } from "./exchange.js";

/** The timer rings at least so often, for what the broker does now and then. */
const LONGEST_MS = 60_000;
/** While every connection is busy, what needs none is looked for so often. */
const WHILE_BUSY_MS = 1000;
/** How long to wait after the database failed. */
const AFTER_FAILURE_MS = 5_000;

export interface CourierOptions {
  connections: number;
  now: () => number;
  /** Something may have changed. */
  onChange: () => void;
  onError: (error: Error) => void;
}

export class Courier {
  readonly #broker: Broker;
  readonly #exchange: Exchange;
  readonly #options: CourierOptions;
  readonly #underWay = new Set<AbortController>();
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #referenced = true;
  #stopping = false;
  #idle: (() => void)[] = [];

  constructor(broker: Broker, exchange: Exchange, options: CourierOptions) {
    this.#broker = broker;
    this.#exchange = exchange;
    this.#options = options;
  }

  /** To be called after everything that may have made something due. Looks in a moment, once for all calls until then. */
  wake(): void {
    if (this.#stopping || this.#immediate) return;
    this.#immediate = setImmediate(() => {
      this.#immediate = undefined;
      this.#look();
    });
  }

  /** Resolves when nothing is due or under way. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      this.wake();
      if (this.#stopping) this.#settle();
    });
  }

  /** The timer doesn't keep the process from ending. */
  unref(): void {
    this.#referenced = false;
    this.#timer?.unref();
  }

  /** Takes nothing more, gives what is under way `grace` milliseconds to end, and leaves the rest to its lease. */
  async stop(grace: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    const timer = setTimeout(() => {
      for (const delivery of this.#underWay) delivery.abort();
    }, grace);
    await this.idle();
    clearTimeout(timer);
  }

  #look(): void {
    clearTimeout(this.#timer);
    if (this.#stopping) return;
    let wait: number;
    try {
      wait = this.#take();
    } catch (error) {
      this.#report("the broker can't look for what is due", error);
      wait = AFTER_FAILURE_MS;
    }
    this.#timer = setTimeout(() => this.#look(), wait);
    if (!this.#referenced) this.#timer.unref();
    this.#options.onChange();
    this.#settle();
  }

  /** Starts what is due; returns after how many milliseconds to look again. */
  #take(): number {
    const { connections, now } = this.#options;
    const free = Math.max(connections - this.#underWay.size, 0);
    // Without a free connection too: schedules, waits that time out and the like need none.
    const deliveries = this.#broker.take(free, now());
    for (const delivery of deliveries) void this.#deliver(delivery);
    // The next outcome looks again.
    if (this.#underWay.size >= connections) return WHILE_BUSY_MS;
    const next = this.#broker.nextWake() ?? Number.POSITIVE_INFINITY;
    // A millisecond at least, so that a clock that stands still can't make this spin.
    return Math.min(Math.max(next - now(), 1), LONGEST_MS);
  }

  async #deliver(delivery: DeliveryTuple): Promise<void> {
    const [lease, messageId] = delivery;
    const controller = new AbortController();
    this.#underWay.add(controller);
    const outcome = await this.#exchange.send(delivery, controller.signal);
    this.#underWay.delete(controller);
    try {
      if (outcome) this.#tell(lease, outcome);
    } catch (error) {
      // The message is due again when its lease ends.
      this.#report(`the outcome of ${messageId} is lost`, error);
    }
    this.#options.onChange();
    if (this.#stopping) this.#settle();
    else this.wake();
  }

  #tell(lease: string, outcome: Outcome): void {
    const now = this.#options.now();
    switch (outcome.kind) {
      case "answered":
        this.#broker.answered(lease, outcome.status, outcome.headers, outcome.body, now);
        break;
      case "unreachable":
        this.#broker.unreachable(lease, outcome.error, now);
        break;
      case "refused":
        this.#broker.refused(lease, outcome.error, now);
        break;
      case "timedOut":
        this.#broker.timedOut(lease, now);
        break;
    }
  }

  /** Tells those who wait for it that there is nothing to do. */
  #settle(): void {
    if (this.#idle.length === 0 || this.#underWay.size > 0) return;
    if (!this.#stopping && this.#isDue()) return;
    const waiting = this.#idle;
    this.#idle = [];
    for (const resolve of waiting) resolve();
  }

  #isDue(): boolean {
    try {
      const next = this.#broker.nextWake();
      return next !== undefined && next <= this.#options.now();
    } catch (error) {
      this.#report("the broker can't look for what is due", error);
      return true;
    }
  }

  #report(what: string, error: unknown): void {
    this.#options.onError(new Error(`${what}: ${messageOf(error)}`, { cause: error }));
  }
}
