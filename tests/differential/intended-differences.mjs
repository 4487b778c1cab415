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
    expected: undefined,
    actual: "<name of the SDK>",
    reason: "Every answer names the SDK, those with status 500 too.",
  },
];
