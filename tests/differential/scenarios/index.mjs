import api from "./api.mjs";
import call from "./call.mjs";
import callback from "./callback.mjs";
import context from "./context.mjs";
import duplicates from "./duplicates.mjs";
import errors from "./errors.mjs";
import events from "./events.mjs";
import failure from "./failure.mjs";
import groups from "./groups.mjs";
import invoke from "./invoke.mjs";
import lazyFetch from "./lazy-fetch.mjs";
import malformed from "./malformed.mjs";
import middlewares from "./middlewares.mjs";
import mismatch from "./mismatch.mjs";
import options from "./options.mjs";
import parallel from "./parallel.mjs";
import sequential from "./sequential.mjs";
import signature from "./signature.mjs";
import sleep from "./sleep.mjs";
import submission from "./submission.mjs";
import values from "./values.mjs";
import webhook from "./webhook.mjs";

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
  context,
  call,
  callback,
  invoke,
  events,
  webhook,
  api,
  groups,
  middlewares,
};
