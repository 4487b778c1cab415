/**
 * Where our client sends something else than the official one on purpose. An entry that covers no difference any more
 * fails the test.
 */

/** @type {import("./intended-differences.mjs").IntendedDifference[]} */
export const CLIENT_DIFFERENCES = [
  {
    scenario: ["publish: timeout of a fraction", "schedules: create with a fraction of a second"],
    path: /^requests\[0\]\.headers\.upstash-timeout$/,
    expected: "1.5s",
    actual: "2s",
    reason: "The wire knows whole seconds only.",
  },
  {
    scenario: ["publish: through a queue"],
    path: /^requests\[0\]\.path$/,
    expected: /^\/v2\/publish\//,
    actual: /^\/v2\/enqueue\/orders\//,
    reason: "A message's `queueName` is followed everywhere; the official SDK leaves it out of `publish`.",
  },
  {
    scenario: ["batchJSON: a provider's header by the user too"],
    path: /^requests\[0\]\.items\[0\]\.headers\.upstash-forward-authorization$/,
    expected: "of the user",
    actual: "Bearer t",
    reason: "What the provider asks for wins, in a batch as in `publishJSON`.",
  },
  {
    scenario: ["queue: a name that would leave its place"],
    path: /^requests\[0\]\.path$/,
    expected: "/v2/queues/b?c",
    actual: "/v2/queues/a%2F..%2Fb%3Fc%23d%25/pause",
    reason: "An id stays one segment of the path, whatever it holds.",
  },
  {
    scenario: ["flowControl: unpin one and not the other"],
    path: /^requests\[0\]\.path$/,
    expected: /\?parallelism=false&rate=true$/,
    actual: /\?rate=true$/,
    reason: "What is not to be unpinned is not named.",
  },
];
