// What the broker does not do yet. A check here that passes is a failure: the list stays honest, and ends empty.

/** Names of checks or of their groups. */
export const PENDING = [];

/** The same for more than one shard. */
export const PENDING_SHARDED = [
  "batch: messages for a URL group give nested results",
  "messages: by queue and by URL group",
  "queues: to a URL group: a result for each endpoint",
  "URL groups: publish: a message for each endpoint, which says where it comes from",
  "dead letters: a dead letter is the message with its last answer",
  "flow control: steps of workflows share the limits of their trigger",
  "invalid requests: what is too large is refused, and nothing of it is accepted",
  "runs: a large history is fetched by the endpoint",
  "steps: invoke: results, failures and cancellations of other runs",
];

/** The same for the checks of the Python client: how their names begin. */
export const PENDING_PYTHON = [];
