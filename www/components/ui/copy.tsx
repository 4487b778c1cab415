"use client";

import { Check, Copy as CopyIcon } from "lucide-react";
import { useState } from "react";
import { toast } from "@/components/ui/toast";

/** Puts a text on the clipboard, and shows that it is there. */
export function Copy({ text, label }: { text: string; label: string }) {
  const [isDone, setDone] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Browsers give no clipboard to pages by plain HTTP of another machine.
      toast.failed("It was not copied", new Error("The browser does not let this page use the clipboard."));
      return;
    }
    setDone(true);
    setTimeout(() => setDone(false), 1_500);
  };
  const Icon = isDone ? Check : CopyIcon;
  return (
    <button
      type="button"
      title={label}
      aria-label={isDone ? "Copied" : label}
      onClick={() => void copy()}
      className="inline-flex size-6 items-center justify-center rounded-sm text-faint hover:bg-sunken hover:text-ink"
    >
      <Icon size={13} aria-hidden />
    </button>
  );
}

/** An identifier that can be copied whole, however short it is shown. */
export function Identifier({ id, label = "Copy" }: { id: string; label?: string }) {
  return (
    <span className="inline-flex max-w-full items-center gap-1 align-middle">
      <code className="min-w-0 truncate font-mono text-xs" title={id}>
        {id}
      </code>
      <Copy text={id} label={label} />
    </span>
  );
}
