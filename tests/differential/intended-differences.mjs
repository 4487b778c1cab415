/**
 * Where this repository answers or sends something else than the official SDK on purpose.
 * An entry that covers no difference any more fails the test.
 *
 * @typedef {object} IntendedDifference
 * @property {string[] | RegExp} scenario  names of scenarios, or a pattern for them
 * @property {RegExp} path        matches the whole path of the difference
 * @property {unknown} [expected] what the reference does: a value, or a pattern for a text
 * @property {unknown} [actual]   what we do instead: likewise
 * @property {string} reason
 */

/** Paths inside the answer to a delivery. */
const ERROR_TEXT = /^\[\d+\]\.response\.body\.(error|message)$/;
const ANSWER = /^\[\d+\]\.response\.(status|body\.\w+|headers\.upstash-nonretryable-error)$/;
/** Everything that one delivery causes. */
const REACTION = /^\[\d+\]\.(requests|response|trace)\b.*$/;

/** @type {IntendedDifference[]} */
export const INTENDED_DIFFERENCES = [
  {
    scenario: /^/,
    path: /^\[\d+\]\.response\.headers\.content-type$/,
    expected: "text/plain;charset=UTF-8",
    actual: "application/json",
    reason: "The answers are JSON, and say so.",
  },
  {
    scenario: /^/,
    path: /^\[\d+\]\.response\.headers\.upstash-workflow-sdk$/,
    expected: /^undefined$/,
    actual: "<name of the SDK>",
    reason: "Every answer names the SDK, those with status 500 too.",
  },
  {
    scenario: /^QStash (answers|refuses)|^lazy: QStash fails$/,
    path: ERROR_TEXT,
    expected:
      /QstashError|QstashRatelimitError|QstashDailyRatelimitError|WorkflowError|told by QStash|rate limit|status=500/,
    actual: /^(BrokerRefused|(Daily)?RateLimited)$|^the broker answered \d+: |^Exceeded \w+ rate limit\. .*}( .+)?$/,
    reason: "A refusal has a code, and its message tells the status beside QStash's own sentence.",
  },
  {
    scenario: /^QStash answers \d+ to a member of a group$/,
    path: /^\[0\]\.response\.headers\.upstash-error-step-name$/,
    expected: "x",
    actual: /^undefined$/,
    reason: "The header names a step whose function failed; here the submission failed, and groups are no exception.",
  },
  {
    scenario: ["QStash accepts with text that is not JSON"],
    path: ANSWER,
    actual: /^(200|undefined|wfr_given|success)$/,
    reason: "A 2xx is an acceptance; failing would run the step a second time.",
  },
  {
    scenario: /^(step throws|step rejects|group member throws): |^middleware: (non-retryable|retry-after) error$/,
    path: /^\[0\]\.response\.headers\.upstash-error-step-name$/,
    expected: /^undefined$/,
    actual: /^(charge|left|a)$/,
    reason:
      "The failing step is named whatever was thrown; the official SDK can only mark an Error that it may change.",
  },
  {
    scenario: ["step throws: object"],
    path: /^\[0\]\.response\.body\.message$/,
    actual: `An error occured while executing workflow: '{"reason":"unknown","code":3}'`,
    reason: "What the user throws is not changed.",
  },
  {
    scenario: /^group member throws: /,
    path: ERROR_TEXT,
    expected: /^WorkflowError$|^Error submitting steps to QStash in partial parallel step execution: /,
    reason: "An error of a group's member is told as it is, not wrapped: it was not the submission that failed.",
  },
  {
    scenario: ["failing step with a name beyond Latin-1"],
    path: /^\[0\]\.response\.(thrown|status|headers|body)$/,
    reason: "The official handler rejects; ours answers 500 with question marks in the header.",
  },
  {
    scenario: /^(route returns without a step|route refuses depending on the payload|middleware: route refuses)$/,
    path: /^\[\d+\]\.response\.body\.message$/,
    expected: /^Failed to authenticate Workflow request/,
    actual: /^the workflow returned before its first step/,
    reason: "The sentence says what happened; a workflow that returns early need not be about authentication.",
  },
  {
    scenario: ["a step without a name"],
    path: ERROR_TEXT,
    actual: /^InvalidRequest$|^a step needs a name/,
    reason: "Errors carry this package's codes.",
  },
  {
    scenario: ["step inside a step"],
    path: ANSWER,
    actual: /^(489|true|NestedStep|step 'inner' was asked for .*)$/,
    reason: "A nested step is a mistake in the code: the run fails at once, without retries.",
  },
  {
    scenario: ["try and catch around a step"],
    path: /^\[0\]\.(requests\[1\]|trace\[0\])$/,
    actual: /^undefined$/,
    reason: "Nothing is thrown into the workflow to stop it, so a catch around a step does not let it run on.",
  },
  {
    scenario: ["step result: BigInt", "step result: circular"],
    path: ANSWER,
    actual: /^(489|true|NotSerializable|the result of step 'value' can't be written as JSON .*)$/,
    reason: "Another try would compute the same result: the run fails at once and the message names the step.",
  },
  {
    scenario: ["replayed out that is a number"],
    path: ERROR_TEXT,
    actual: /^HistoryMalformed$|^field 'out' of step 1 /,
    reason: "Errors carry this package's codes and name the field.",
  },
  {
    scenario: ["sleepUntil: text that is no date"],
    path: REACTION,
    actual: /^(undefined|500|InvalidDuration|sleepUntil 'pause' needs .*)$/,
    reason: "The official SDK submits `Upstash-Not-Before: NaN`; ours says what is wrong.",
  },
  {
    scenario: ["lazy: entries without callType are skipped"],
    path: REACTION,
    reason: "Only entries that say they belong to a callback are skipped; without callType an entry is a step.",
  },
  {
    scenario: ["option url that is no url"],
    path: ERROR_TEXT,
    actual: /^InvalidConfiguration$|^the workflow's URL must start with /,
    reason: "Errors carry this package's codes.",
  },
  {
    scenario: ["failure callback: no response"],
    path: /^\[0\]\.trace\[0\]$/,
    expected: / undefined ""$/,
    actual: / \{\} ""$/,
    reason: "`failHeaders` is an object, as its type says, even if there are none.",
  },
  {
    scenario: [
      "failure callback: no run id",
      "malformed: no run id",
      "malformed: empty run id",
      "malformed: unknown SDK without run id",
    ],
    path: ERROR_TEXT,
    actual: /^RunIdMissing$|^expected header Upstash-Workflow-RunId /,
    reason: "Errors carry this package's codes and name the header.",
  },
  {
    scenario: ["failure callback: route refuses"],
    path: ANSWER,
    actual: /^(400|Refused|the workflow refused the failed run: .*)$/,
    reason: "A refusal has the same status for every kind of delivery.",
  },
  {
    scenario: /^mismatch: /,
    path: ERROR_TEXT,
    expected: /^WorkflowError$|^Incompatible /,
    actual: /^StepMismatch$|^step \d+: the history holds /,
    reason: "A mismatch tells place, found, expected, the usual cause and the way out.",
  },
  {
    scenario: ["mismatch: a single step where a group was"],
    path: REACTION,
    actual: /^(undefined|500|StepMismatch|step 1: the history holds a parallel group of 2 .*)$/,
    reason: "A workflow that lost a group is no longer the one that is recorded; the official SDK goes on.",
  },
  {
    scenario: [
      "malformed: step that is a number",
      "malformed: step without any field",
      "malformed: unknown step type",
      "malformed: step without type",
    ],
    path: ERROR_TEXT,
    actual: /^HistoryMalformed$|^history\[1\]\.body is not a step: /,
    reason: "Errors carry this package's codes and name the field.",
  },
  {
    scenario: [
      "malformed: step id that leaves a gap",
      "malformed: step without concurrent",
      "malformed: base64 with blanks and without padding",
    ],
    path: REACTION,
    actual:
      /^(undefined|500|HistoryGap|HistoryMalformed|the history lacks the result of step 1 .*|history\[1\]\.body is not .*)$/,
    reason:
      "A damaged history is refused: no broker writes one, and going on could skip a step. The run stays resumable.",
  },
  {
    scenario: ["malformed: another protocol version"],
    path: ERROR_TEXT,
    actual: /^ProtocolVersion$|^expected version 1 of the workflow protocol /,
    reason: "Errors carry this package's codes and name the header.",
  },
  {
    scenario: ["malformed: invoke count that is no number"],
    path: /^\[0\]\.requests\[0\]\.items\[0\]\.headers\.upstash-forward-upstash-workflow-invoke-count$/,
    expected: "NaN",
    actual: /^undefined$/,
    reason: "NaN is not passed on.",
  },
  {
    scenario: /^(signature|receiver): /,
    path: /^\[\d+\]\.response\.(status|body\.(error|message))$/,
    expected: /^(500|WorkflowError|<engine>|Failed to verify that .*|Couldn't get workflow id from header)$/s,
    actual: /^(401|403|Signature[A-Z]\w+|[a-z].*)$/,
    reason:
      "A request that can't be believed gets 401 or 403 and a code, and is looked at no further; the official SDK answers 500.",
  },
  {
    scenario: ["signature: another subject"],
    path: REACTION,
    actual: /^(undefined|403|SignatureSubject|the signature was made for .*)$/,
    reason: "A signature holds for the URL it was made for; `checkSubject: false` turns this off.",
  },
  {
    scenario: ["receiver: one key in env only turns the check off"],
    path: REACTION,
    actual: /^(undefined|401|SignatureMissing|expected header Upstash-Signature: .*)$/,
    reason: "One signing key is enough to check with; half a setting must not accept everything.",
  },
  {
    scenario: /^option (retries|retryDelay|flowControl|failureUrl) of former versions$/,
    path: /^\[0\]\.requests\[0\]\.items\[0\]\.headers\.upstash-/,
    expected: /^undefined$/,
    reason:
      "Runs that are started by calling the endpoint take these from the options, as before version 1.0 of the official SDK, which now ignores them.",
  },
  {
    scenario: ["option initialPayloadParser"],
    path: /^\[0\]\.requests\[0\]\.items\[0\]\.body$/,
    actual: '{"orderId":1}',
    reason:
      "The run keeps the payload that came; the official SDK keeps what parser or schema made of it, and has them read that again in every invocation.",
  },
  {
    scenario: ["option schema"],
    path: /^\[0\]\.requests\[0\]\.items\[0\]\.body$/,
    actual: '{"orderId":1}',
    reason:
      "The run keeps the payload that came; the official SDK keeps what parser or schema made of it, and has them read that again in every invocation.",
  },
  {
    scenario: ["option schema"],
    path: REACTION,
    actual: /^(undefined|489|true|WorkflowNonRetryableError|the payload does not fit the schema: .*)$/,
    reason:
      "A payload that does not fit the schema never will: the run fails at once. The schema sees every payload, also one that is no JSON.",
  },
  {
    scenario: /^callback: |^middleware: callback$/,
    path: /^\[\d\]\.response\.body\.workflowRunId$/,
    expected: /^wfr_<\d>$/,
    actual: "wfr_given",
    reason:
      "The answer to a callback, and what middlewares hear of it, name its run; the official SDK names a random one.",
  },
  {
    scenario: /^callback: |^call answered: |^invoke ended: |^wait ended: |^webhook: /,
    path: ERROR_TEXT,
    actual:
      /^(HistoryMalformed|RunIdMissing|expected header Upstash-.*|header Upstash-.*|field '(out|body)' .*|the remembered result of .*)$/,
    reason: "Errors carry this package's codes and name the field.",
  },
  {
    scenario: /: QStash answers \d+$/,
    path: ERROR_TEXT,
    expected: /QstashError|WorkflowError|told by QStash/,
    actual: /^BrokerRefused$|^the broker answered \d+: /,
    reason: "A refusal has a code, and its message tells the status beside QStash's own sentence.",
  },
  {
    scenario: ["notify: QStash answers 500"],
    path: /^\[0\]\.response\.headers\.upstash-error-step-name$/,
    expected: "tell",
    actual: /^undefined$/,
    reason: "The header names a step whose function failed; here the submission failed, and groups are no exception.",
  },
  {
    scenario: ["middleware: route refuses"],
    path: /^\[0\]\.trace\[[23]\]$/,
    actual: /^"runStarted" |^"onError" "the workflow returned before its first step/,
    reason: "Middlewares hear that the run has started before the function is called, which happens once.",
  },
  {
    scenario: ["middleware: QStash says the run has ended"],
    path: /^\[0\]\.trace\[4\]$/,
    actual: /^"onWarning" "Tried to append to a cancelled workflow\. .* Error: the broker answered 400: ended"$/,
    reason: "A refusal has a code, and its message tells the status beside QStash's own sentence.",
  },
  {
    scenario: ["call: empty retry delay"],
    path: /^\[0\]\.requests\[0\]\.items\[0\]\.headers\.upstash-retry-delay$/,
    expected: "",
    actual: /^undefined$/,
    reason: "An empty expression is none, and is not sent.",
  },
  {
    scenario: ["call: body that is an object"],
    path: /^\[0\]\.requests\[0\]\.items\[0\]\.body$/,
    actual: '{"a":1}',
    reason:
      "A body that is neither text nor bytes is written as JSON here; the official SDK leaves that to QStash, which does the same.",
  },
  {
    scenario: /^(call|invoke): .*(bad|no) (label|flow control key|key|labels)$/,
    path: ERROR_TEXT,
    actual: /^InvalidName$|^labels and flow-control keys are |^the option label must not be an empty array$/,
    reason: "Errors carry this package's codes.",
  },
  {
    scenario: [
      "call: header beyond Latin-1",
      "call: name beyond Latin-1",
      "call: flow control without limits",
      "call: workflow without an id",
      "invoke: workflow without an id",
      "api: openai, at nowhere",
      "api: openai, no token",
      "api: anthropic, no token",
      "wait: empty event id",
      "notify: empty event id",
      "notify: empty run id",
      "webhook: token that is no base64",
      "webhook: token that names no user",
    ],
    path: /^\[0\]\.response\.(body\.(error|message)|headers\.upstash-error-step-name)$/,
    actual:
      /^(undefined|Invalid(Header|Request|Configuration)|the value of header .*|flow control needs .*|only a workflow that is served by serveMany .*|the provider's .* is empty|the id of the (event|run) must not be empty|a webhook's URL needs .*)$/,
    reason: "Errors carry this package's codes.",
  },
  {
    scenario: ["call after a step"],
    path: ERROR_TEXT,
    expected: /^WorkflowError$|^Incompatible /,
    actual: /^StepMismatch$|^step \d+: the history holds /,
    reason: "A mismatch tells place, found, expected, the usual cause and the way out.",
  },
  {
    scenario: ["api: openai, flow control"],
    path: /^\[0\]\.requests\[0\]\.items\[0\]\.headers\.upstash-flow-control-(key|value)$/,
    expected: /^undefined$/,
    reason: "Flow control counts for `api` too; the official SDK drops it.",
  },
  {
    scenario: [
      "webhook: called with an empty body",
      "webhook: called with text and no type",
      "webhook: called without headers",
    ],
    path: /^\[0\]\.trace\[1\]$/,
    expected: /text\/plain;charset=UTF-8/,
    actual: / \[\] /,
    reason: "The request of a webhook has the headers and the bytes that came, and no header more.",
  },
  {
    scenario: ["webhooks in parallel"],
    path: /^\[\d\]\.requests\[0\]\.(items\[1\]\.)?body$/,
    expected: /"timeout":60,/,
    actual: /"timeout":"60s",/,
    reason: "A number is a number of seconds in every timeout.",
  },
  {
    scenario: [
      "a whole run with sequences in parallel",
      "a whole run with groups of uneven length",
      "steps started together and awaited one by one",
    ],
    path: /^\[\d+\].*$/,
    reason:
      "Results are told in the order in which they were recorded, so a branch goes on without waiting for the others: Promise.race and Promise.any decide at once, and a branch of several steps needs fewer deliveries.",
  },
];
