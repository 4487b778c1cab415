/** Small things that the official package exports beside its client. */
import { QstashError } from "../errors.js";

/** @deprecated Thrown by nothing here; kept for `instanceof`. */
export class QStashWorkflowError extends QstashError {
  constructor(message: string) {
    super(message, "WorkflowFailed");
    this.name = "QStashWorkflowError";
  }
}

/** @deprecated Thrown by nothing here: a step never ends a workflow by an error. Kept for `instanceof`. */
export class QStashWorkflowAbort extends Error {
  readonly stepName: string;
  readonly stepInfo?: unknown;

  constructor(stepName: string, stepInfo?: unknown) {
    super(`The workflow was interrupted after step '${stepName}'.`);
    this.name = "QStashWorkflowAbort";
    this.stepName = stepName;
    this.stepInfo = stepInfo;
  }
}

/** An error's name and message, as a failed workflow answers them. */
export function formatWorkflowError(error: unknown): { error: string; message: string } {
  if (error instanceof Error) return { error: error.name, message: error.message };
  return { error: "Error", message: "An error occured while executing workflow." };
}

/** The text in base64, read as UTF-8; what is no base64 comes back as it is. */
export function decodeBase64(base64: string): string {
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    return new TextDecoder().decode(bytes);
  } catch {
    return base64;
  }
}

/** What `fetch` may be told besides; kept for code that names it. */
export type RequestOptions = RequestInit & { backend?: string };
