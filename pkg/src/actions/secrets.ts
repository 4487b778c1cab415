/** Tokens: where they come from, and that they stay secret. */
import { OrchestrationError, WorkflowCallError } from "../errors.js";
import { rules } from "../rules/rules.js";
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
  const { stepName, status, header, body } = thrown;
  const text = masked(typeof body === "string" ? body : (JSON.stringify(body) ?? ""), secrets);
  const { "set-cookie": _, ...shown } = header;
  const error = new WorkflowCallError(stepName, { status, header: shown, body: parsed(text) });
  error.message = masked(thrown.message, secrets) + (text === "" ? "" : `: ${text.slice(0, EXCERPT_CHARACTERS)}`);
  return error;
}

function masked(text: string, secrets: readonly string[]): string {
  const without = secrets.reduce(
    (rest, secret) => (secret === "" ? rest : rest.replaceAll(secret, rules().masked())),
    text,
  );
  return rules().maskText(without) ?? without;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
