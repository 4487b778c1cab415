"use client";

/** What went to a destination and what it answered: headers and bodies, for every page that shows them. */
import type { ReactNode } from "react";
import { useMasked } from "@/components/ui/masked";
import { asJson, Payload } from "@/components/ui/payload";
import type { HeaderLists } from "@/lib/broker/types";
import { bytesOfBase64, size, textOfBase64 } from "@/lib/bytes";

export function Headers({ headers, label }: { headers: HeaderLists | undefined; label: string }) {
  const entries = Object.entries(headers ?? {}).sort(([a], [b]) => a.localeCompare(b));
  if (entries.length === 0) return <p className="text-sm text-faint">None.</p>;
  return (
    <Payload
      label={label}
      value={Object.fromEntries(entries.map(([name, values]) => [name, values.length === 1 ? values[0] : values]))}
    />
  );
}

/** A body that is told as text, or as base64 if it is none. */
export function Body({
  text,
  base64,
  label,
  note,
}: {
  text?: string;
  base64?: string;
  label: string;
  note?: ReactNode;
}) {
  const decoded = text ?? (base64 === undefined ? undefined : textOfBase64(base64));
  if (decoded === undefined && base64) {
    const bytes = bytesOfBase64(base64);
    // A redacted body is told as it is.
    if (bytes === undefined) return <Payload value={base64} label={label} />;
    return (
      <p className="text-sm text-soft">
        {size(bytes.length)} that are no text.{" "}
        <a
          className="underline underline-offset-2"
          download={label.replaceAll(" ", "-").toLowerCase()}
          href={`data:application/octet-stream;base64,${base64}`}
        >
          Save them
        </a>
      </p>
    );
  }
  return (
    <>
      <Payload value={decoded === "" ? undefined : decoded} label={label} />
      {note && <p className="mt-1 text-xs text-faint">{note}</p>}
    </>
  );
}

interface Told {
  message: string;
  name?: string;
  stack?: string;
}

/** The error that a workflow's endpoint answers with. */
export function errorIn(responseBody: string | undefined): Told | undefined {
  const value = asJson(responseBody);
  if (typeof value !== "object" || value === null) return undefined;
  const { error, message, stack } = value as Record<string, unknown>;
  const texts = [message, error].filter((text): text is string => typeof text === "string");
  const [said] = texts;
  if (said === undefined) return undefined;
  return {
    message: said,
    ...(texts.length > 1 && typeof error === "string" ? { name: error } : {}),
    ...(typeof stack === "string" ? { stack } : {}),
  };
}

export function ErrorTold({
  error,
  stack = "",
  name,
}: {
  error: string;
  stack?: string | undefined;
  name?: string | undefined;
}) {
  const said = useMasked(error);
  const trace = useMasked(stack);
  return (
    <div className="border-l-4 border-bad bg-bad-wash px-3 py-2 text-sm">
      <p className="break-words">
        {name && name !== "Error" && <span className="font-medium">{name}: </span>}
        {said}
      </p>
      {stack && (
        <details className="mt-1">
          <summary className="text-xs">Stack</summary>
          {/* Focusable, for who scrolls by keyboard. */}
          <pre
            // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
            tabIndex={0}
            className="mt-1 max-h-60 overflow-auto font-mono text-xs leading-5"
          >
            {trace}
          </pre>
        </details>
      )}
    </div>
  );
}

/** A status as HTTP names it, by colour and number. */
export function AnswerStatus({ status }: { status: number | undefined }) {
  if (status === undefined || status === 0) return <span className="text-faint">none</span>;
  return <span className={status < 300 ? "text-ok" : status < 400 ? "text-warn" : "text-bad"}>{status}</span>;
}
