"use client";

/** A body, an input or a result: JSON if it is that, its secrets masked until somebody asks for them. */
import { Eye, EyeOff } from "lucide-react";
import { useEffect, useState } from "react";
import { Button } from "@/components/ui/button";
import { Copy } from "@/components/ui/copy";

/** Longer texts are cut for the screen; the copy is whole. */
const SHOWN = 50_000;

export function Payload({ value, label }: { value: unknown; label: string }) {
  const [masked, setMasked] = useState<string>();
  const [isRevealed, setRevealed] = useState(false);
  const text = readable(value);
  // By its text: live data is a new object each time.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  useEffect(() => {
    let isCurrent = true;
    mask(value).then(
      (hidden) => isCurrent && setMasked(readable(hidden)),
      () => isCurrent && setMasked("(the masking of secrets could not be loaded; reveal it to see it)"),
    );
    return () => {
      isCurrent = false;
    };
  }, [text]);
  if (value === undefined || text === "") return <p className="text-sm text-faint">Nothing.</p>;
  const shown = isRevealed ? text : masked;
  const hides = masked !== undefined && masked !== text;
  return (
    <div className="relative rounded-md border border-line bg-sunken">
      <div className="absolute top-1 right-1 flex items-center gap-1">
        {hides && (
          <Button
            kind="quiet"
            className="h-6! px-1.5! text-xs!"
            icon={isRevealed ? EyeOff : Eye}
            aria-pressed={isRevealed}
            onClick={() => setRevealed(!isRevealed)}
          >
            {isRevealed ? "Hide secrets" : "Reveal secrets"}
          </Button>
        )}
        <Copy text={(isRevealed ? text : masked) ?? ""} label={`Copy ${label}`} />
      </div>
      {/* Focusable, for who scrolls by keyboard. */}
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
        tabIndex={0}
        role="region"
        aria-label={label}
        className="max-h-96 overflow-auto p-3 pr-24 font-mono text-xs leading-5 break-words whitespace-pre-wrap"
      >
        {shown === undefined ? "…" : cut(shown)}
      </pre>
    </div>
  );
}

async function mask(value: unknown): Promise<unknown> {
  const { maskSensitiveData } = await import("@repo/orchestration/shared/utils/data-masking");
  return maskSensitiveData(asJson(value));
}

const cut = (text: string): string =>
  text.length > SHOWN ? `${text.slice(0, SHOWN)}\n… ${text.length - SHOWN} more characters; copy it to see them` : text;

/** JSON laid out, other text as it is. */
export function readable(value: unknown): string {
  if (value === undefined) return "";
  const json = asJson(value);
  return typeof json === "string" ? json : JSON.stringify(json, null, 2);
}

/** The value of a text that is JSON, or what it was. */
export function asJson(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
