/** Finds and words the differences between two normalised recordings. */

/**
 * @typedef {object} Difference
 * @property {string} path      where, for example `[1].requests[0].items[0].headers.upstash-delay`
 * @property {unknown} expected `undefined` when absent
 * @property {unknown} actual   `undefined` when absent
 */

/** @returns {Difference[]} the order of object fields counts, the order of headers was fixed by `normalise` */
export function differences(expected, actual, path = "") {
  if (isBranch(expected) && isBranch(actual) && Array.isArray(expected) === Array.isArray(actual)) {
    const keys = [...new Set([...Object.keys(expected), ...Object.keys(actual)])];
    const inside = keys.flatMap((key) =>
      differences(expected[key], actual[key], join(path, key, Array.isArray(expected))),
    );
    const [before, after] = [Object.keys(expected), Object.keys(actual)];
    if (inside.length > 0 || before.join() === after.join()) return inside;
    return [{ path: `${path} (order of fields)`, expected: before, actual: after }];
  }
  return Object.is(expected, actual) ? [] : [{ path, expected, actual }];
}

/** One readable block a difference. */
export const report = (list, { expected = "expected", actual = "actual" } = {}) =>
  list.map((difference) => block(difference, expected, actual)).join("\n");

function block({ path, expected, actual }, expectedName, actualName) {
  const width = Math.max(expectedName.length, actualName.length) + 2;
  const [one, other] = [shown(expected), shown(actual)];
  const lines = [
    `  ${path || "(whole)"}`,
    `    ${expectedName.padEnd(width)}${one}`,
    `    ${actualName.padEnd(width)}${other}`,
  ];
  if (typeof expected === "string" && typeof actual === "string" && one.length > 40) {
    lines.push(`${" ".repeat(4 + width + firstDifference(one, other))}^ first difference`);
  }
  return lines.join("\n");
}

/**
 * Splits differences by the table of intended ones.
 * @param {import("./intended-differences.mjs").IntendedDifference[]} table
 */
export function judge(list, scenario, table) {
  const used = new Set();
  const unexpected = list.filter((difference) => {
    const entry = table.find((candidate) => covers(candidate, scenario, difference));
    if (entry) used.add(entry);
    return entry === undefined;
  });
  return { unexpected, used };
}

function covers({ scenario: names, path, expected, actual }, scenario, difference) {
  const named = names instanceof RegExp ? names.test(scenario) : names.includes(scenario);
  return (
    named && path.test(difference.path) && allows(expected, difference.expected) && allows(actual, difference.actual)
  );
}

function allows(wanted, value) {
  if (wanted instanceof RegExp) return wanted.test(String(value));
  return wanted === undefined || JSON.stringify(wanted) === JSON.stringify(value);
}

const isBranch = (value) => typeof value === "object" && value !== null;
const join = (path, key, inArray) => (inArray ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`);
const shown = (value) => (value === undefined ? "(absent)" : JSON.stringify(value));

function firstDifference(one, other) {
  let index = 0;
  while (index < one.length && one[index] === other[index]) index += 1;
  return index;
}
