/** What starts runs without a call of `executeWorkflow`: objects that `engine.register` takes. */
import type { CallOptions } from "../config.js";
import type { Client } from "../qstash.js";
import type { AnyWorkflow } from "./definition.js";
import type { ScheduleOptions, StartOptions, WorkflowProvider } from "./provider.js";
import type { StartedWorkflow } from "./types.js";

export type TriggerType = "http" | "schedule" | "event" | "webhook" | "queue" | "url-group";

/** A trigger, as `engine.triggers()` lists it. */
export interface TriggerSummary {
  name: string;
  type: TriggerType;
  workflowId: string;
  /** Where requests go that pull it, for those that are pulled by requests. */
  url?: string | undefined;
  /** Whether what it needs at its provider has been set up. */
  isAttached: boolean;
}

/** What an engine does for its triggers. */
export interface TriggerHost {
  /** Where requests for this trigger arrive: `<the engine's url>/triggers/<name>`. */
  readonly url: string;
  readonly provider: WorkflowProvider;
  /** The provider's client. Rejects with `Unsupported` if it has none. */
  client(): Client;
  /** Starts a run of the trigger's workflow. */
  start(input: unknown, options?: StartOptions): Promise<StartedWorkflow>;
  /** Makes a schedule that starts runs of it. */
  schedule(schedule: ScheduleOptions & { input?: unknown }, options?: CallOptions): Promise<{ scheduleId: string }>;
  /** Deletes a schedule; one that is not there is no mistake. */
  unschedule(scheduleId: string, options?: CallOptions): Promise<void>;
  /** Rejects with a `SignatureError` unless the provider's broker has signed the request. */
  verify(request: Request, body: Uint8Array): Promise<void>;
}

/** Starts runs of one workflow. */
export interface Trigger {
  readonly kind: "trigger";
  readonly type: TriggerType;
  /** Unique in an engine; letters, digits, `-`, `_` and `.`. */
  readonly name: string;
  readonly workflow: AnyWorkflow | string;
  /** Sets up what it needs at the provider. Repeating it changes nothing. */
  attach?(host: TriggerHost, options?: CallOptions): Promise<void>;
  /** Takes that away. */
  detach?(host: TriggerHost, options?: CallOptions): Promise<void>;
  /** Answers a request that pulls it. Errors become answers by their codes. */
  handle?(request: Request, host: TriggerHost): Promise<Response>;
  /** The events that pull it, by `engine.emit`. */
  readonly events?: readonly string[] | undefined;
  /** Makes the run's input of an event's data. */
  inputOf?(data: unknown): unknown;
}
