/** What a receiver finds of a signature, check by check. */

/** What a receiver looks at, in this order. */
export type SignatureCheckName =
  /** Three parts in base64url, header and claims JSON objects with each name once. */
  | "form"
  /** `HS256`, and no extension that would have to be understood. */
  | "algorithm"
  /** The MAC, with the current key and then the next. */
  | "key"
  /** `iss`. */
  | "issuer"
  /** The other claims are there, and of the right kind. */
  | "claims"
  /** `sub` is the URL that the request came to. */
  | "subject"
  /** `exp` lies ahead. */
  | "expiry"
  /** `nbf` has passed. */
  | "notBefore"
  /** `body` is the hash of the raw body. */
  | "body";

/** A check and how it ended. */
export interface SignatureCheck {
  check: SignatureCheckName;
  /** `skipped`: an earlier check failed that it needs, or there is nothing to compare with. */
  outcome: "passed" | "failed" | "skipped";
  /** Of the error, if it failed: what `verify` throws if it is the first that did. */
  code?: string;
  /** Of the error. */
  message?: string;
}

/** What a receiver finds of a signature. Nothing in it is to be believed unless `isValid`. */
export interface SignatureExplanation {
  /** Whether every check passed, or had nothing to compare with. */
  isValid: boolean;
  /** Each check once, in the order in which they are made. */
  checks: SignatureCheck[];
  /** The key that made the signature, if one of the receiver's did. */
  signedBy?: "current" | "next" | undefined;
  /** The decoded header, if it can be read. */
  header?: Record<string, unknown> | undefined;
  /** The decoded claims, if they can be read. */
  claims?: Record<string, unknown> | undefined;
}
