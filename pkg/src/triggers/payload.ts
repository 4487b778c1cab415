/** What a request that pulls a trigger brings. */
import { OrchestrationError } from "../errors.js";
import { invalid } from "../http/answers.js";
import { jsonOrText } from "../json.js";

/**
 * A body by its type: JSON, the fields of a form, or text. Without a type it is JSON if it can be read as that, and text
 * otherwise. Nothing is `undefined`.
 *
 * @throws {OrchestrationError} `InvalidRequest`
 */
export function payloadOf({ headers }: Request, body: Uint8Array): unknown {
  if (body.byteLength === 0) return undefined;
  const type = (headers.get("content-type") ?? "").split(";", 1).join("").trim().toLowerCase();
  const text = textOf(body);
  if (/^application\/(.+\+)?json$/.test(type)) return jsonOf(text);
  if (type === "application/x-www-form-urlencoded") return Object.fromEntries(new URLSearchParams(text));
  if (type.startsWith("text/")) return text;
  if (type !== "") throw invalid(`a trigger takes JSON, forms and text, not '${type}'`);
  return jsonOrText(text);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid("the body is not the JSON that its type says it is");
  }
}

function textOf(body: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    throw invalid("the body is not UTF-8");
  }
}

/** @throws {OrchestrationError} `MethodNotAllowed` */
export function checkMethod({ method }: Request, name: string, methods: readonly string[] = ["POST"]): void {
  if (methods.includes(method)) return;
  throw new OrchestrationError(`the trigger '${name}' takes ${methods.join(", ")}, not ${method}`, "MethodNotAllowed");
}
