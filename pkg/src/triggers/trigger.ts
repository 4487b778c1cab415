/** What all triggers share: which workflow they pull, and how the input of a run is made of what pulls them. */
import type { AnyWorkflow, WorkflowDefinition } from "../engine/definition.js";
import type { StartOptions } from "../engine/provider.js";
import type { Trigger, TriggerHost } from "../engine/trigger.js";
import { ValidationError } from "../errors.js";
import { json } from "../http/answers.js";
import type { PayloadSchema } from "../workflows/schema.js";
import { validated } from "../workflows/validation.js";

/** A workflow that takes an input, or the id of one that is registered. */
// biome-ignore lint/suspicious/noExplicitAny: what the workflow gives does not matter to what starts it
export type Triggered<TInput> = WorkflowDefinition<TInput, any> | string;

/** What every trigger has. */
export interface TriggerBase<TInput = unknown> {
  /** Unique in an engine; letters, digits, `-`, `_` and `.`. */
  name: string;
  workflow: Triggered<TInput>;
}

/** What every trigger has that requests pull. */
export interface RequestTriggerOptions<TInput = unknown, TPayload = unknown> extends TriggerBase<TInput> {
  /** What the payload has to be: a Standard Schema (zod, valibot, arktype), or `parse`. */
  schema?: PayloadSchema<TPayload> | undefined;
  /** Makes the run's input of the payload. Default: the payload. */
  map?: ((payload: TPayload, request: Request) => TInput | Promise<TInput>) | undefined;
  /** How runs are started. */
  run?: Omit<StartOptions, "workflowRunId"> | undefined;
  /** The largest body in bytes. Default: 1 MiB. */
  maxBodyBytes?: number | undefined;
}

/** The members of a trigger that say what it is. */
export const base = <const TType extends Trigger["type"], TInput>(
  type: TType,
  { name, workflow }: TriggerBase<TInput>,
): { kind: "trigger"; type: TType; name: string; workflow: AnyWorkflow | string } => ({
  kind: "trigger",
  type,
  name,
  workflow,
});

/**
 * A payload as its schema has it.
 *
 * @throws {ValidationError} for one that does not fit
 */
export async function checked<TPayload>(
  { name, schema }: Pick<RequestTriggerOptions<unknown, TPayload>, "name" | "schema">,
  payload: unknown,
): Promise<TPayload> {
  if (!schema) return payload as TPayload;
  const result = await validated(payload, schema);
  if ("value" in result) return result.value;
  throw new ValidationError(`the payload does not fit the schema of the trigger '${name}': ${result.issues}`);
}

/** Starts the run and tells of it: 202. With an id that was used before, nothing is started, and the answer is the same. */
export async function started<TInput, TPayload>(
  host: TriggerHost,
  { map, run }: RequestTriggerOptions<TInput, TPayload>,
  payload: TPayload,
  request: Request,
  workflowRunId: string | undefined,
): Promise<Response> {
  const input = map ? await map(payload, request) : payload;
  return json(await host.start(input, { ...run, workflowRunId }), ACCEPTED);
}

const ACCEPTED = 202;
