/** Asks validators: Standard Schema (https://standardschema.dev), or one with `parse`. */
import type { Issue, PayloadSchema, StandardSchema } from "./schema.js";

/** What became of a value: what the schema makes of it, or what is wrong with it, in one line. */
export type Validated<TOutput> = { readonly value: TOutput } | { readonly issues: string };

/** Validates. Errors of the validator that tell of no issues count as one. */
export async function validated<TOutput>(value: unknown, schema: PayloadSchema<TOutput>): Promise<Validated<TOutput>> {
  if ("~standard" in schema) {
    const result = await (schema as StandardSchema<TOutput>)["~standard"].validate(value);
    return result.issues ? { issues: result.issues.map(worded).join("; ") } : { value: result.value };
  }
  try {
    return { value: await schema.parse(value) };
  } catch (error) {
    const { issues, message } = error as { issues?: Issue[]; message?: string };
    return { issues: Array.isArray(issues) ? issues.map(worded).join("; ") : String(message ?? error) };
  }
}

/** An issue with the path to what it is about. */
function worded({ message, path = [] }: Issue): string {
  const keys = path.map((part) => String(typeof part === "object" ? part.key : part));
  return keys.length > 0 ? `${keys.join(".")}: ${message}` : message;
}
