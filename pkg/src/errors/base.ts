/** What all errors of this package have in common. */
import { isRetryableCode, type OrchestrationErrorCode } from "./codes.js";

/** Known to all copies of this package in a process: a CommonJS one beside an ESM one, for instance. */
const BRAND: unique symbol = Symbol.for("@repo/orchestration:error") as never;

/** How far down causes are told. */
const CAUSES = 8;
/** What a name or a code looks like; anything else might be a secret. */
const IDENTIFIER = /^[\w$.-]{1,64}$/;

/** What led to an error, without its message: that is somebody else's, and may hold secrets. */
export interface SerializedCause {
  name: string;
  code?: string | number;
  cause?: SerializedCause;
}

/** An error as JSON, for logs and answers. Holds no secret and no stack. */
export interface SerializedError {
  name: string;
  code: OrchestrationErrorCode;
  message: string;
  retryable: boolean;
  status?: number;
  details?: Readonly<Record<string, unknown>>;
  cause?: SerializedCause;
}

/** What an error can be given beside its message and its code. */
export interface ErrorContext {
  /** What led to it. Kept as it is; as JSON it has a name and a code only. */
  cause?: unknown;
  /** Whether the same call may succeed later without a change. Default: what the code says. */
  retryable?: boolean | undefined;
  /** The status of the answer that it is about. */
  status?: number | undefined;
}

/** Any error of this package. Classes, in a project with several copies of it, are told apart by {@link isOrchestrationError}. */
export class OrchestrationError extends Error {
  /** The stable code, such as `SignatureExpired`. */
  readonly code: OrchestrationErrorCode;
  /** Whether the same call may succeed later without a change. */
  readonly retryable: boolean;
  /** The status of the answer that it is about, if it is about one. */
  declare readonly status?: number | undefined;
  /** What it is about, with secrets masked; see `createOrchestrationError`. */
  declare readonly details?: Readonly<Record<string, unknown>>;

  constructor(
    message: string,
    code: OrchestrationErrorCode = "Internal",
    retryable: boolean = isRetryableCode(code),
    status?: number,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = retryable;
    if (status !== undefined) this.status = status;
  }

  /** @internal */
  get [BRAND](): true {
    return true;
  }

  /** For `JSON.stringify` and logs: no stack; of what led to it names and codes only; `details` were masked when it was made. */
  toJSON(): SerializedError {
    const { name, code, message, retryable, status, details } = this;
    const cause = serializedCause(this.cause, CAUSES);
    return {
      ...{ name, code, message, retryable },
      ...(status === undefined ? {} : { status }),
      ...(details === undefined ? {} : { details }),
      ...(cause === undefined ? {} : { cause }),
    };
  }
}

/** Whether this is an error of this package, of whichever copy. */
export function isOrchestrationError(error: unknown): error is OrchestrationError {
  return typeof error === "object" && error !== null && (error as { [BRAND]?: unknown })[BRAND] === true;
}

function serializedCause(thrown: unknown, depth: number): SerializedCause | undefined {
  if (thrown === undefined || thrown === null || depth === 0) return undefined;
  if (typeof thrown !== "object") return { name: typeof thrown };
  const { name, code, cause } = thrown as { name?: unknown; code?: unknown; cause?: unknown };
  const below = serializedCause(cause, depth - 1);
  return {
    name: identifier(name) ?? "Error",
    ...(typeof code === "number" ? { code } : {}),
    ...(identifier(code) === undefined ? {} : { code: code as string }),
    ...(below === undefined ? {} : { cause: below }),
  };
}

const identifier = (text: unknown) => (typeof text === "string" && IDENTIFIER.test(text) ? text : undefined);
