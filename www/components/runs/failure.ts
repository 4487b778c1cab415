/** What an endpoint of a workflow answers when a step throws: the error's name, its message, its stack. */
export function failureIn(body: unknown): { error?: string; message?: string; stack?: string } {
  if (typeof body !== "string") return {};
  try {
    const { error, message, stack } = (JSON.parse(body) ?? {}) as Record<string, unknown>;
    const known = Object.entries({ error, message, stack });
    return Object.fromEntries(known.filter(([, value]) => typeof value === "string" && value !== ""));
  } catch {
    return {};
  }
}
