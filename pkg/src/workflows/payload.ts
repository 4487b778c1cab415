/** How a run's payload is read, and what of it a first invocation submits. */
import { WorkflowNonRetryableError } from "../errors.js";
import { jsonOrText } from "../json.js";
import type { WorkflowServeOptions } from "./options.js";
import { validated } from "./validation.js";

/** The payload for the workflow, and the text that the run keeps: `undefined` for none. */
export interface ReadPayload {
  payload: unknown;
  kept: string | undefined;
}

/**
 * Reads the payload as the official SDK does: JSON if it is JSON, else the text itself. Schema and parser see what came
 * in every invocation, so what they make of it need not be such that they would accept it again.
 */
export async function readPayload(
  raw: string | undefined,
  { initialPayloadParser, schema }: WorkflowServeOptions<unknown>,
): Promise<ReadPayload> {
  // A failed run whose source is unknown.
  if (raw === undefined) return { payload: initialPayloadParser?.(raw as never), kept: undefined };
  if (initialPayloadParser) return { payload: await initialPayloadParser(raw), kept: raw || undefined };
  const sent = parsed(raw);
  const kept = typeof sent === "string" ? sent : JSON.stringify(sent);
  return { payload: schema ? await conforming(sent, schema) : sent, kept };
}

function parsed(raw: string): unknown {
  if (!raw) return undefined;
  return jsonOrText(raw.charCodeAt(0) === BYTE_ORDER_MARK ? raw.slice(1) : raw);
}

/** What the schema makes of the payload. One that does not fit never will: the run fails without another try. */
async function conforming(payload: unknown, schema: NonNullable<WorkflowServeOptions<unknown>["schema"]>) {
  const result = await validated(payload, schema);
  if ("value" in result) return result.value;
  throw new WorkflowNonRetryableError(`the payload does not fit the schema: ${result.issues}`);
}

const BYTE_ORDER_MARK = 0xfeff;
