import type { WorkflowContext } from "@repo/orchestration/workflows";
import { linesSince, save } from "../services";

const DAY_MS = 24 * 60 * 60 * 1000;

export async function report(context: WorkflowContext) {
  const to = context.now(); // the same in every invocation
  const lines = await context.run("collect", () => linesSince(context, to - DAY_MS));

  const kinds = new Map<string, { count: number; amount: number }>();
  for (const { kind, amount = 0 } of lines) {
    const known = kinds.get(kind) ?? { count: 0, amount: 0 };
    kinds.set(kind, { count: known.count + 1, amount: known.amount + amount });
  }
  const rows = [...kinds].map(([kind, { count, amount }]) => `${kind},${count},${amount}`);
  const name = `report-${new Date(to).toISOString().slice(0, 10)}.csv`;
  const file = await context.run("file", () => save(context, name, ["kind,count,amount", ...rows, ""].join("\n")));
  return { ...file, lines: lines.length };
}
