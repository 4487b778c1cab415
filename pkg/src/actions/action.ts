/** What all actions share: options that may be functions of the input, and stubs. */
/** @internal */
export { wholeStepOf as action } from "../steps/step.js";

/**
 * A value, or a function of the step's input. In a run the function is called by every invocation: it gives the same for
 * the same input, and does nothing else.
 */
export type Dynamic<TInput, T> = T | ((input: TInput) => T);

/** Options of which each may be a function of the step's input. */
export type Dynamics<TInput, T> = { [K in keyof T]: Dynamic<TInput, T[K]> };

/** A body: text and bytes travel as they are, anything else as JSON. Or a function of the step's input that gives one. */
export type DynamicBody<TInput> = string | number | boolean | object | null | ((input: TInput) => unknown);

/** The options for an input, without those that are not given. */
export function resolved<T extends object>(options: Dynamics<never, T>, input: unknown): T {
  const fields = Object.entries(options).flatMap(([name, value]): [string, unknown][] => {
    const given = typeof value === "function" ? value(input) : value;
    return given === undefined ? [] : [[name, given]];
  });
  return Object.fromEntries(fields) as T;
}

/** A body as it travels, and the type of its content if that follows from it. */
export function written(body: unknown): { body?: string | Uint8Array | ArrayBuffer; type?: string } {
  if (body === undefined) return {};
  if (typeof body === "string" || body instanceof Uint8Array || body instanceof ArrayBuffer) return { body };
  const text = JSON.stringify(body);
  return text === undefined ? {} : { body: text, type: "application/json" };
}

/** Headers with `Content-Type`, unless they have one. */
export function typed(headers: Record<string, string> = {}, type: string | undefined): Record<string, string> {
  const hasType = Object.keys(headers).some((name) => name.toLowerCase() === "content-type");
  return type === undefined || hasType ? headers : { "Content-Type": type, ...headers };
}
