import duplicates from "./duplicates.mjs";
import errors from "./errors.mjs";
import failure from "./failure.mjs";
import lazyFetch from "./lazy-fetch.mjs";
import malformed from "./malformed.mjs";
import mismatch from "./mismatch.mjs";
import options from "./options.mjs";
import parallel from "./parallel.mjs";
import sequential from "./sequential.mjs";
import signature from "./signature.mjs";
import sleep from "./sleep.mjs";
import submission from "./submission.mjs";
import values from "./values.mjs";

/** All scenarios by topic. */
export const TOPICS = {
  sequential,
  values,
  sleep,
  parallel,
  duplicates,
  "lazy-fetch": lazyFetch,
  errors,
  submission,
  options,
  failure,
  mismatch,
  malformed,
  signature,
};
