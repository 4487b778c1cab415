/** What the broker shows in place of a value that it was asked to hide (`Upstash-Redact-Fields`). */

/** Whether a value is not the one that was sent. */
export const isHidden = (value: string | undefined): boolean =>
  value !== undefined && /^(Bearer )?REDACTED(:[0-9a-f]+)?$/i.test(value);

/** `Name: value`, one a line; what is hidden is empty, so that a form asks for it. */
export const headerLines = (headers: readonly [name: string, values: readonly string[]][]): string =>
  headers.flatMap(([name, values]) => values.map((value) => `${name}: ${isHidden(value) ? "" : value}`)).join("\n");

/** `Upstash-Redact-Fields` of a message like one that was: `body`, `header[Name]`, joined by commas. */
export const redactionOf = (
  body: string | undefined,
  headers: readonly [name: string, values: readonly string[]][],
): string =>
  [
    ...(isHidden(body) ? ["body"] : []),
    ...headers
      .filter(([, values]) => values.some((value) => value.startsWith("REDACTED:")))
      .map(([name]) => `header[${name}]`),
  ].join(", ");
