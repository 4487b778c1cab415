/** The codes of all errors: the table of `src/error.rs` as JavaScript has it. A test compares the two. */

type Entry = readonly [status: number, retryable: boolean];

/** The HTTP status that a server answers with for a code, and whether the same call may succeed later without a change. */
const TABLE = {
  /** A setting is missing or contradicts another. */
  InvalidConfiguration: [500, false],
  /** No signing key was given; a receiver without keys would accept everything. */
  EmptyKeySet: [500, false],
  /** A URL can't be used: not absolute, not http(s), or not valid. */
  InvalidUrl: [400, false],
  /** A header's value is not of the form its name asks for. */
  InvalidHeader: [400, false],
  /** A duration such as `1d10h30m` can't be read. */
  InvalidDuration: [400, false],
  /** A retry-delay expression can't be read. */
  InvalidExpression: [400, false],
  /** A list of ids or of a filter's values is empty: the request would concern everything. */
  EmptyArray: [400, false],
  /** A request's path, query or body is not what its endpoint expects. */
  InvalidRequest: [400, false],
  /** The request's body is larger than the limit. */
  PayloadTooLarge: [413, false],
  /** The bearer token is missing or wrong. */
  Unauthorized: [401, false],
  /** The token is known, but may not do this. */
  Forbidden: [403, false],
  /** A destination is not on the public internet, and the broker sends nowhere else. */
  PrivateDestination: [400, false],
  /** What the path names does not exist. */
  NotFound: [404, false],
  /** The path exists, with another method. */
  MethodNotAllowed: [405, false],
  /** The run has ended, was cancelled or never began: it takes no step. SDKs take the status for that and stop quietly. */
  RunEnded: [400, false],
  /** A step of a run that goes on can't be accepted as it is; without it the run can't go on. */
  StepRefused: [412, false],
  /** A number of things, such as queues or schedules, has reached the limit of the broker. */
  LimitReached: [412, false],
  /** A documented feature of the wire that this version does not offer. */
  Unsupported: [501, false],
  /** A step's result or a workflow's result can't be written as JSON. */
  NotSerializable: [489, false],
  /** A label or a flow-control key holds a character that it must not hold. */
  InvalidName: [489, false],
  /** A step was requested while another step's function was running. */
  NestedStep: [489, false],
  /** The workflow asked for another step than the one that was recorded at this place. */
  StepMismatch: [500, false],
  /** A recorded result can't be read as the type that the workflow asks for. */
  ResultMismatch: [500, false],
  /** A step's function failed; the broker decides whether it is tried again. */
  StepFailed: [500, true],
  /** A step took longer than its timeout allows. */
  StepTimeout: [504, true],
  /** The workflow's function failed outside a step. */
  WorkflowFailed: [500, true],
  /** The workflow returned before its first step: it refused the request. */
  Refused: [400, false],
  /** A value does not fit the schema that it was checked with. */
  ValidationFailed: [400, false],
  /** Who asked does not wait for the answer any more. */
  Aborted: [499, false],
  /** A batch has no room: items come in faster than they are worked off. */
  BatchFull: [429, true],
  /** What was asked has been shut down and takes nothing more. */
  Closed: [503, false],

  /** Another program listens on the port of the broker. */
  PortTaken: [500, false],
  /** Another broker has the database open. */
  DatabaseInUse: [500, false],
  /** The broker at the address of development mode has another identity. */
  BrokerMismatch: [500, false],

  /** The request carries no signature. */
  SignatureMissing: [401, false],
  /** The signature is not a JWT of three base64url parts with JSON inside. */
  SignatureMalformed: [401, false],
  /** The signature's algorithm is not HS256. */
  SignatureAlgorithm: [403, false],
  /** No signing key made this signature. */
  SignatureInvalid: [403, false],
  /** A claim is missing or of the wrong form, or `iss` has the wrong value. */
  SignatureClaim: [403, false],
  /** The signature's `sub` is another URL. */
  SignatureSubject: [403, false],
  /** The signature has expired. */
  SignatureExpired: [403, false],
  /** The signature is not valid yet. */
  SignatureNotYetValid: [403, false],
  /** The body is not the one that was signed. */
  SignatureBody: [403, false],
  /** The signature was accepted before. */
  SignatureReplayed: [403, false],

  /** The delivery speaks another version of the workflow protocol. */
  ProtocolVersion: [500, true],
  /** The delivery does not name its run. */
  RunIdMissing: [500, true],
  /** The history can't be read; the message names the field. */
  HistoryMalformed: [500, true],
  /** The history lacks a step. */
  HistoryGap: [500, true],
  /** The broker refused a request. */
  BrokerRefused: [500, true],
  /** Too many requests in a short time: the broker or a rate limiter refused one. */
  RateLimited: [429, true],
  /** The broker refused a request to a language model: too many requests or tokens. */
  ChatRateLimited: [429, true],
  /** The broker refused a request: the day's messages are used up. */
  DailyRateLimited: [429, true],
  /** The broker can't be reached. */
  BrokerUnreachable: [500, true],
  /** The broker's answer can't be read. */
  BrokerAnswer: [500, true],
  /** A call was answered with what it does not expect. */
  CallFailed: [502, false],
  /** A circuit breaker is open: what it guards has failed too often, and is left alone for a while. */
  CircuitOpen: [503, true],
  /** A provider of an engine can't take or answer a request. */
  ProviderUnavailable: [503, true],

  /** The store failed. */
  Storage: [500, true],
  /** An invariant of this package does not hold; please report it. */
  Internal: [500, true],
} as const satisfies Record<string, Entry>;

/** A stable code: programs match on it, people read the message. */
export type OrchestrationErrorCode = keyof typeof TABLE;

/** Every code by its name, which is its value. */
export const OrchestrationErrorCodes: { readonly [Code in keyof typeof TABLE]: Code } = /* @__PURE__ */ Object.freeze(
  /* @__PURE__ */ Object.fromEntries(/* @__PURE__ */ Object.keys(TABLE).map((code) => [code, code])),
) as never;

/** Whether a text is the name of a code. */
export function isErrorCode(text: unknown): text is OrchestrationErrorCode {
  return typeof text === "string" && Object.hasOwn(TABLE, text);
}

/** The HTTP status that a server answers with for this code. */
export function statusOf(code: OrchestrationErrorCode): number {
  return TABLE[code][0];
}

/** Whether the same call may succeed later without a change. */
export function isRetryableCode(code: OrchestrationErrorCode): boolean {
  return TABLE[code][1];
}
