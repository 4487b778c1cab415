/** Prints a verdict: a table of the steps, then what is wrong, then one word. */

/**
 * @param {import("./timeline.mjs").Printer} printer
 * @param {import("./verdict.mjs").Verdict} verdict
 */
export function printVerdict(printer, verdict) {
  const header = ["run", "step", "refused", "executed", "remembered", "executed again once remembered"];
  const rows = verdict.runs.flatMap(({ order, steps }) =>
    steps.map(({ step, refused, executed, remembered, again }) => {
      const counts = executed + refused > 0 ? [refused, executed] : ["-", "-"];
      return [order.language, step, ...counts, remembered ? "yes" : "NO", again].map(String);
    }),
  );
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  const line = (row) => row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("  ");
  printer.line(printer.style("dim", line(header)));
  for (const row of rows) printer.line(line(row));
  printer.line();
  for (const { order, state } of verdict.runs) printer.line(`${order.language} run ${order.runId}: ${state}`);
  for (const fault of verdict.faults) printer.line(printer.style("red", `fault: ${fault}`));
  const word = verdict.pass ? "PASS" : "FAIL";
  printer.line(`verdict: ${printer.style(["bold", verdict.pass ? "green" : "red"], word)}`);
}
