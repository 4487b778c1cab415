/** Limits that all messages of one key share, and what can be done about them. */
import type { CallOptions } from "../config.js";
import type { Caller } from "./caller.js";

/** The state of a flow-control key, as the broker shows it. */
export interface FlowControlInfo {
  flowControlKey: string;
  /** How many messages wait. */
  waitListSize: number;
  parallelismMax: number;
  parallelismCount: number;
  rateMax: number;
  rateCount: number;
  /** In seconds. */
  ratePeriod: number;
  /** Unix time. */
  ratePeriodStart: number;
  isPaused: boolean;
  isPinnedParallelism: boolean;
  isPinnedRate: boolean;
}

/** How many deliveries the whole account has open. */
export interface GlobalParallelismInfo {
  parallelismMax: number;
  parallelismCount: number;
}

/** Limits that hold whatever messages ask for. */
export interface PinFlowControlOptions {
  parallelism?: number;
  rate?: number;
  /** In seconds. */
  period?: number;
}

/** Which limits messages may change again. */
export interface UnpinFlowControlOptions {
  parallelism?: boolean;
  rate?: boolean;
}

/** All flow-control keys. */
export class FlowControlApi {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Shows a key. */
  async get(flowControlKey: string, options?: CallOptions): Promise<FlowControlInfo> {
    return (await this.#caller.call("flowControl.get", flowControlKey, options)) as FlowControlInfo;
  }

  /** Shows all keys, or those that a text occurs in. */
  async list(request: { search?: string } = {}, options?: CallOptions): Promise<FlowControlInfo[]> {
    return (await this.#caller.call("flowControl.list", request, options)) as FlowControlInfo[];
  }

  /** Shows how many deliveries the whole account has open. */
  async getGlobalParallelism(options?: CallOptions): Promise<GlobalParallelismInfo> {
    const info = (await this.#caller.call("flowControl.globalParallelism", null, options)) as
      | Partial<GlobalParallelismInfo>
      | undefined;
    return { parallelismMax: info?.parallelismMax ?? 0, parallelismCount: info?.parallelismCount ?? 0 };
  }

  /** Holds a key's messages back until {@link resume}. */
  async pause(flowControlKey: string, options?: CallOptions): Promise<void> {
    await this.#caller.call("flowControl.pause", flowControlKey, options);
  }

  /** Delivers a paused key's messages again. */
  async resume(flowControlKey: string, options?: CallOptions): Promise<void> {
    await this.#caller.call("flowControl.resume", flowControlKey, options);
  }

  /** Fixes a key's limits: what messages ask for no longer changes them. */
  async pin(flowControlKey: string, pin: PinFlowControlOptions, options?: CallOptions): Promise<void> {
    await this.#caller.call("flowControl.pin", { ...pin, key: flowControlKey }, options);
  }

  /** Lets messages change a key's pinned limits again. */
  async unpin(flowControlKey: string, unpin: UnpinFlowControlOptions, options?: CallOptions): Promise<void> {
    await this.#caller.call("flowControl.unpin", { ...unpin, key: flowControlKey }, options);
  }

  /** Starts a key's period anew, with nothing counted. */
  async resetRate(flowControlKey: string, options?: CallOptions): Promise<void> {
    await this.#caller.call("flowControl.resetRate", flowControlKey, options);
  }

  /** Forgets a key's state: what is counted, pinned and paused. */
  async reset(flowControlKey: string, options?: CallOptions): Promise<void> {
    await this.#caller.call("flowControl.reset", flowControlKey, options);
  }
}
