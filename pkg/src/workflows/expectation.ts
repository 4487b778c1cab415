/** Which answers of a call count as success. */
import { WorkflowCallError, WorkflowError } from "../errors.js";
import type { CallExpectation, CallResponse } from "./steps.js";

/** What expects nothing that can be answered would be found out only when the call has been made. */
export function checkExpectation(expect: unknown): void {
  const statuses = [expect].flat();
  const isStatus = (status: unknown) => Number.isInteger(status);
  if (expect === undefined || expect === "2xx" || typeof expect === "function") return;
  if (statuses.length > 0 && statuses.every(isStatus)) return;
  const message = "the option expect must be '2xx', a status, a list of them, or a function";
  throw new WorkflowError(message, "InvalidRequest", false);
}

/** The answer, if it is one that was expected. It is recorded, so every invocation decides alike. */
export function expected(name: string, response: CallResponse, expect: CallExpectation | undefined): CallResponse {
  if (expect === undefined || isExpected(response, expect)) return response;
  throw new WorkflowCallError(name, response);
}

function isExpected(response: CallResponse, expect: CallExpectation): boolean {
  if (typeof expect === "function") return expect(response);
  if (expect === "2xx") return response.status >= 200 && response.status < 300;
  return [expect].flat().includes(response.status);
}
