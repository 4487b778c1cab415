/**
 * Where this repository answers or sends something else than the official SDK on purpose.
 * An entry that covers no difference any more fails the test.
 *
 * @typedef {object} IntendedDifference
 * @property {string[]} scenario  names of scenarios
 * @property {RegExp} path        matches the whole path of the difference
 * @property {unknown} [actual]   what we do instead: a value, or a pattern for a text
 * @property {string} reason
 */

/** @type {IntendedDifference[]} */
export const INTENDED_DIFFERENCES = [];
