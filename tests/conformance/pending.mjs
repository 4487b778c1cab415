// What the broker does not do yet. A check here that passes is a failure: the list stays honest, and ends empty.

/** Names of checks or of their groups. */
export const PENDING = [
  "publish: the publisher's address reaches the endpoint, messages, logs, dead letters and callbacks",
  "publish: Upstash-Header-Forward forwards every header of the request",
  "messages: a cancelled message is not delivered, and the log tells it",
  "messages: by ids in the body, as the Python client sends them",
  "messages: by queue and by URL group",
  "schedules",
  "dead letters: a dead letter is the message with its last answer",
  "dead letters: they are removed by id, ids, filter, and by ids in the body",
  "keys: rotation: next becomes current, and receivers with the former keys go on for one rotation",
  "logs: an entry tells the message, its state and the answer",
  "logs: by every filter; several values are any of them, several filters all",
  "logs: a state, filter or cursor that is unknown is refused",
  "redaction",
  "invalid requests: destinations that are none",
  "invalid requests: chat completions are told to be gone",
  "trigger: by REST: POST /v2/trigger/{url}",
  "trigger: by REST: POST /v2/batch/trigger",
  "trigger: by REST, the same id again: deduplicated",
  "runs: logs by every filter, page by page, under both names",
  "runs: by ids, URL, beginning of the URL, label, flow-control key, caller",
  "failed runs: a failed run is listed and shown, under both names",
  "URL groups: one endpoint's failure is its own; callback, log and dead letter name the group",
  "queues: a message of a queue says so, in messages, logs and dead letters",
  "queues: to a URL group: a result for each endpoint",
  "flow control: a message of a key says so, in messages, logs and dead letters",
];

/** The same for the checks of the Python client: how their names begin. */
export const PENDING_PYTHON = [
  "dead letters",
  "logs",
  "messages: a cancelled message is read from the log",
  "messages: cancel many",
  "redaction",
  "schedules",
  "signing keys: rotate",
  "url groups",
  "flow control: a message names its key",
];
