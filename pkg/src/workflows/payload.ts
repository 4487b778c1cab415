/** How a run's payload is read, and what of it a first invocation submits. */
import type { WorkflowServeOptions } from "./options.js";

/** Reads the payload as the official SDK does: JSON if it is JSON, else the text itself. */
export function readPayload(raw: string | undefined, options: WorkflowServeOptions<unknown>): unknown {
  if (options.initialPayloadParser) return options.initialPayloadParser(raw as string);
  if (!raw) return undefined;
  const text = raw.charCodeAt(0) === BYTE_ORDER_MARK ? raw.slice(1) : raw;
  let payload: unknown;
  try {
    payload = JSON.parse(text);
  } catch {
    return text;
  }
  return options.schema ? options.schema.parse(payload) : payload;
}

/** The payload as a message's body; `undefined` for none. */
export const writePayload = (payload: unknown): string | undefined =>
  typeof payload === "string" ? payload : JSON.stringify(payload);

const BYTE_ORDER_MARK = 0xfeff;
