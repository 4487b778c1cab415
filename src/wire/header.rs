//! Header names, each once. Spelled as the official SDKs spell them; HTTP ignores the case.

/// The bearer token of a request to the broker.
pub const AUTHORIZATION: &str = "Authorization";
/// The media type of a body.
pub const CONTENT_TYPE: &str = "Content-Type";
/// Seconds or a date after which a refused request may be tried again.
pub const RETRY_AFTER: &str = "Retry-After";
/// Who is calling.
pub const USER_AGENT: &str = "User-Agent";

/// Prefix of a header that reaches the destination without the prefix.
pub const FORWARD_PREFIX: &str = "Upstash-Forward-";
/// `true` if every header of the request is to reach the destination, without a prefix.
pub const HEADER_FORWARD: &str = "Upstash-Header-Forward";
/// Prefix of a setting of the callback message.
pub const CALLBACK_PREFIX: &str = "Upstash-Callback-";
/// Prefix of a setting of the failure callback message.
pub const FAILURE_CALLBACK_PREFIX: &str = "Upstash-Failure-Callback-";
/// Prefix of the workflow protocol's own headers.
pub const WORKFLOW_PREFIX: &str = "Upstash-Workflow-";
/// Prefix of headers by which the official SDKs describe themselves.
pub const TELEMETRY_PREFIX: &str = "Upstash-Telemetry-";

/// The JWT that proves who sent a delivery.
pub const SIGNATURE: &str = "Upstash-Signature";
/// The delivered message's id; use it as an idempotency key.
pub const MESSAGE_ID: &str = "Upstash-Message-Id";
/// How many tries came before this one, from 0.
pub const RETRIED: &str = "Upstash-Retried";
/// The address of whoever published the message.
pub const CALLER_IP: &str = "Upstash-Caller-Ip";
/// The schedule that published the message.
pub const SCHEDULE_ID: &str = "Upstash-Schedule-Id";
/// The URL group that the message was published to.
pub const TOPIC_NAME: &str = "Upstash-Topic-Name";
/// The region whose keys signed the delivery.
pub const REGION: &str = "Upstash-Region";

/// The method of the delivery.
pub const METHOD: &str = "Upstash-Method";
/// Wait this long before the first try; a duration.
pub const DELAY: &str = "Upstash-Delay";
/// Wait until this moment before the first try; Unix seconds. Wins over [`DELAY`].
pub const NOT_BEFORE: &str = "Upstash-Not-Before";
/// How many tries may follow the first.
pub const RETRIES: &str = "Upstash-Retries";
/// An expression that gives the delay before a retry in milliseconds.
pub const RETRY_DELAY: &str = "Upstash-Retry-Delay";
/// How long the destination may take to answer; a duration.
pub const TIMEOUT: &str = "Upstash-Timeout";
/// Labels, joined by commas.
pub const LABEL: &str = "Upstash-Label";
/// A message with the same id is accepted but not delivered again.
pub const DEDUPLICATION_ID: &str = "Upstash-Deduplication-Id";
/// Deduplicate by destination, body and headers.
pub const CONTENT_BASED_DEDUPLICATION: &str = "Upstash-Content-Based-Deduplication";
/// Where every answer of the destination is sent.
pub const CALLBACK: &str = "Upstash-Callback";
/// Where the last answer is sent once the retries are used up.
pub const FAILURE_CALLBACK: &str = "Upstash-Failure-Callback";
/// The key whose limits this message shares.
pub const FLOW_CONTROL_KEY: &str = "Upstash-Flow-Control-Key";
/// The limits, such as `parallelism=5, rate=10, period=1m`.
pub const FLOW_CONTROL_VALUE: &str = "Upstash-Flow-Control-Value";
/// Which parts of the message the logs hide.
pub const REDACT_FIELDS: &str = "Upstash-Redact-Fields";
/// The queue that a schedule publishes to.
pub const QUEUE_NAME: &str = "Upstash-Queue-Name";
/// When a schedule fires.
pub const CRON: &str = "Upstash-Cron";
/// On an answer with status 489: don't try again.
pub const NON_RETRYABLE_ERROR: &str = "Upstash-NonRetryable-Error";

/// What a message asks of the broker, such as `LazyFetch,InitialBody`.
pub const FEATURE_SET: &str = "Upstash-Feature-Set";
/// The step whose function failed.
pub const ERROR_STEP_NAME: &str = "Upstash-Error-Step-Name";
/// `true` on the message that starts a run.
pub const WORKFLOW_INIT: &str = "Upstash-Workflow-Init";
/// The run that a message belongs to.
pub const WORKFLOW_RUN_ID: &str = "Upstash-Workflow-RunId";
/// When the run was created; Unix milliseconds.
pub const WORKFLOW_CREATED_AT: &str = "Upstash-Workflow-CreatedAt";
/// The endpoint of the run.
pub const WORKFLOW_URL: &str = "Upstash-Workflow-Url";
/// `toCallback`, `fromCallback` or `failureCall`.
pub const WORKFLOW_CALL_TYPE: &str = "Upstash-Workflow-CallType";
/// The version of the workflow protocol; its absence marks a first invocation.
pub const WORKFLOW_SDK_VERSION: &str = "Upstash-Workflow-Sdk-Version";
/// How deep a run is nested by `invoke`.
pub const WORKFLOW_INVOKE_COUNT: &str = "Upstash-Workflow-Invoke-Count";
/// On a submission: the message whose delivery it answers, where that can't be told from its place in the run because
/// branches go on beside each other (an extension).
pub const WORKFLOW_CAUSE: &str = "Upstash-Workflow-Cause";
/// `true` on the message by which a run starts another one.
pub const WORKFLOW_INVOKE: &str = "Upstash-Workflow-Invoke";
/// `true` when a delivery brings the answer of a `context.call`.
pub const WORKFLOW_CALLBACK: &str = "Upstash-Workflow-Callback";
/// On such a delivery: the step's place in the run.
pub const WORKFLOW_STEP_ID: &str = "Upstash-Workflow-StepId";
/// On such a delivery: the step's name.
pub const WORKFLOW_STEP_NAME: &str = "Upstash-Workflow-StepName";
/// On such a delivery: the step's type.
pub const WORKFLOW_STEP_TYPE: &str = "Upstash-Workflow-StepType";
/// On such a delivery: the size of the step's parallel group.
pub const WORKFLOW_CONCURRENT: &str = "Upstash-Workflow-Concurrent";
/// On such a delivery: the media type that the call was sent with.
pub const WORKFLOW_CONTENT_TYPE: &str = "Upstash-Workflow-ContentType";
/// On such a delivery: the moments that the workflow was told, as `question:millis` joined by commas (an extension).
pub const WORKFLOW_NOW: &str = "Upstash-Workflow-Now";
/// `true` when a delivery tells that the run failed (older name).
pub const WORKFLOW_IS_FAILURE: &str = "Upstash-Workflow-Is-Failure";
/// `true` when a delivery tells that the run failed.
pub const WORKFLOW_FAILURE_CALLBACK: &str = "Upstash-Workflow-Failure-Callback";
/// `true` on the answer to such a delivery when the endpoint has no failure function.
pub const WORKFLOW_FAILURE_CALLBACK_NOT_FOUND: &str = "Upstash-Workflow-Failure-Callback-Notfound";
/// `true` when the broker started the run for an SDK of unknown version.
pub const WORKFLOW_UNKNOWN_SDK: &str = "Upstash-Workflow-Unknown-Sdk";
/// `true` on the SDK's answer to [`WORKFLOW_UNKNOWN_SDK`]; must not count as a duplicate run.
pub const WORKFLOW_TRIGGER_BY_SDK: &str = "upstash-workflow-trigger-by-sdk";
/// The SDK's name and version on an answer.
pub const WORKFLOW_SDK: &str = "Upstash-workflow-sdk";

/// The version of the workflow protocol that this crate speaks.
pub const PROTOCOL_VERSION: &str = "1";
/// The features that an SDK asks of the broker on every step.
pub const STEP_FEATURES: &str = "LazyFetch,InitialBody,WF_DetectTrigger,WF_TriggerOnConfig";
/// The features that a `context.call` asks of the broker.
pub const CALL_FEATURES: &str = "WF_NoDelete,InitialBody";
