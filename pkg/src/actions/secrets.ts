/** Tokens: where they come from, and that they stay secret. */
import { OrchestrationError, WorkflowCallError } from "../errors.js";
import { maskSensitiveData, maskText } from "../privacy/mask.js";
import { MASKED } from "../privacy/names.js";
import type { StepRunner } from "../steps/runner.js";

/** How much of an answer is told in an error. */
const EXCERPT_CHARACTERS = 300;

/**
 * A setting: the one given, or else the environment's, read when the step is performed.
 *
 * @throws {OrchestrationError} `InvalidConfiguration` that names the option and the variable
 */
export function setting(
  action: string,
  option: string,
  given: string | undefined,
  variable: string,
  { env }: StepRunner,
): string {
  const value = given ?? env[variable];
  const mistake = (what: string) => new OrchestrationError(`the action '${action}' ${what}`, "InvalidConfiguration");
  if (!value) throw mistake(`needs the option ${option} or the environment variable ${variable}`);
  // What refuses a header tells its value.
  if (typeof value !== "string" || !/^[\x21-\x7e]+$/.test(value))
    throw mistake(`has a ${option} (option, or environment variable ${variable}) with characters that it can't have`);
  return value;
}

/** Work whose failures are told without secrets: neither the ones given, nor what looks like one. */
export async function discreet<T>(secrets: readonly string[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw tellable(error, secrets);
  }
}

function tellable(error: unknown, secrets: readonly string[]): unknown {
  if (error instanceof WorkflowCallError) return tellableCall(error, secrets);
  if (!(error instanceof Error)) return typeof error === "string" ? masked(error, secrets) : error;
  const message = masked(error.message, secrets);
  if (message === error.message) return error;
  const { code = "Internal", retryable = false } = error as Partial<OrchestrationError>;
  return new OrchestrationError(message, code, retryable);
}

/** With a part of the answer, which says why. */
function tellableCall(thrown: WorkflowCallError, secrets: readonly string[]): Error {
  const { stepName, status } = thrown;
  const header = maskSensitiveData(thrown.header);
  const body = maskSensitiveData(without(thrown.body, secrets));
  const error = new WorkflowCallError(stepName, { status, header, body });
  const text = typeof body === "string" ? body : (JSON.stringify(body) ?? "");
  error.message = masked(thrown.message, secrets) + (text === "" ? "" : `: ${text.slice(0, EXCERPT_CHARACTERS)}`);
  return error;
}

/** A value of JSON whose texts are without the secrets. */
function without(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === "string") return secrets.reduce((text, secret) => text.replaceAll(secret, MASKED), value);
  const text = JSON.stringify(value, (_, part) => (typeof part === "string" ? without(part, secrets) : part));
  return text === undefined ? undefined : JSON.parse(text);
}

const masked = (text: string, secrets: readonly string[]): string => maskText(without(text, secrets) as string);
