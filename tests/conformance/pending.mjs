// What the broker does not do yet. A check here that passes is a failure: the list stays honest, and ends empty.

/** Names of checks or of their groups. */
export const PENDING = [
  "publish: the publisher's address reaches the endpoint, messages, logs, dead letters and callbacks",
  "publish: Upstash-Header-Forward forwards every header of the request",
  "dead letters: a dead letter is the message with its last answer",
  "keys: rotation: next becomes current, and receivers with the former keys go on for one rotation",
  "logs: an entry tells the message, its state and the answer",
  "logs: by every filter; several values are any of them, several filters all",
  "redaction",
  "invalid requests: destinations that are none",
  "invalid requests: chat completions are told to be gone",
  "trigger: by REST: POST /v2/trigger/{url}",
  "trigger: by REST: POST /v2/batch/trigger",
  "trigger: by REST, the same id again: deduplicated",
  "failed runs: a failed run is listed and shown, under both names",
  "URL groups: one endpoint's failure is its own; callback, log and dead letter name the group",
  "queues: a message of a queue says so, in messages, logs and dead letters",
  "flow control: a message of a key says so, in messages, logs and dead letters",
];

/** The same for the checks of the Python client: how their names begin. */
export const PENDING_PYTHON = [
  "dead letters",
  "logs",
  "redaction",
  "signing keys: rotate",
  "flow control: a message names its key",
];
