/** Spans by OpenTelemetry, if the application has registered it. Nothing is imported: only the API's shapes are known. */
import { rules } from "../rules/rules.js";

/** What is asked of a span. */
export interface TelemetrySpan {
  setAttributes(attributes: SpanAttributes): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  recordException(exception: { name?: string; message?: string; stack?: string; code?: string | number }): unknown;
  end(): unknown;
}

export type SpanAttributes = Record<string, string | number | boolean>;

/** A tracer, as that of `@opentelemetry/api` 1.x. */
export interface TelemetryTracer {
  startActiveSpan<T>(
    name: string,
    options: { kind?: number; attributes?: SpanAttributes },
    work: (span: TelemetrySpan) => T,
  ): T;
}

/** The module `@opentelemetry/api`, or what else has its `trace`. */
export interface TelemetryApi {
  trace: { getTracer(name: string, version?: string): TelemetryTracer };
}

/** Where spans go: to what is registered globally (`true`), to an API or a tracer that is handed in, or nowhere. */
export type Telemetry = boolean | TelemetryApi | TelemetryTracer;

/**
 * Does the work inside of a span, which is the parent of those that the work begins. A failure is recorded with its
 * secrets masked, and passed on.
 */
export async function traced<T>(
  telemetry: Telemetry,
  name: string,
  attributes: SpanAttributes,
  work: () => Promise<T>,
): Promise<T> {
  const tracer = tracerOf(telemetry);
  if (!tracer) return work();
  return tracer.startActiveSpan(name, { kind: INTERNAL, attributes }, async (span) => {
    try {
      return await work();
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      span.end();
    }
  });
}

function tracerOf(telemetry: Telemetry): TelemetryTracer | undefined {
  if (typeof telemetry === "object" && "startActiveSpan" in telemetry) return telemetry;
  const registered = (globalThis as { [REGISTERED]?: Partial<TelemetryApi> })[REGISTERED];
  const api = typeof telemetry === "object" ? telemetry : telemetry ? registered : undefined;
  return api?.trace?.getTracer(TRACER);
}

function fail(span: TelemetrySpan, thrown: unknown): void {
  const { name, message, stack, code } = causeOf(thrown);
  const text = masked(message);
  span.setAttributes({ "error.type": typeof code === "string" ? code : name });
  span.recordException({ name, message: text, ...(stack ? { stack: masked(stack) } : {}) });
  span.setStatus({ code: FAILED, message: text });
}

/** What is behind the errors by which a step says what shall become of it. */
function causeOf(thrown: unknown): { name: string; message: string; stack?: string | undefined; code?: unknown } {
  const { name, cause } = (thrown ?? {}) as { name?: unknown; cause?: unknown };
  const error = typeof name === "string" && WRAPPERS.has(name) && cause !== undefined ? cause : thrown;
  const { message } = (error ?? {}) as { message?: unknown };
  return typeof message === "string" ? (error as Error) : { name: "Error", message: String(error) };
}

const WRAPPERS = new Set(["RetryLater", "WorkflowRetryAfterError", "WorkflowStepError"]);

const masked = (text: string): string => rules().maskText(text) ?? text;

/** Where `@opentelemetry/api` 1.x keeps what is registered. */
const REGISTERED: unique symbol = Symbol.for("opentelemetry.js.api.1") as never;
const TRACER = "@repo/orchestration";
/** `SpanKind.INTERNAL` */
const INTERNAL = 0;
/** `SpanStatusCode.ERROR` */
const FAILED = 2;
