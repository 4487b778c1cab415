"use client";

import clsx from "clsx";
import { ChevronDown, Search, X } from "lucide-react";
import { type ComponentProps, type ReactNode, useEffect, useId, useRef, useState } from "react";

const CONTROL =
  "w-full rounded-md border border-edge bg-surface px-2.5 text-sm text-ink placeholder:text-faint disabled:opacity-50 " +
  "aria-invalid:border-bad max-sm:text-lg";

export interface FieldProps {
  label: ReactNode;
  /** What is expected, below the control. */
  hint?: ReactNode;
  error?: string | undefined;
}

interface Described {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": true | undefined;
}

function Field({ label, hint, error, children }: FieldProps & { children: (described: Described) => ReactNode }) {
  const id = useId();
  const description = error || hint ? `${id}-description` : undefined;
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      {children({ id, "aria-describedby": description, "aria-invalid": error ? true : undefined })}
      {description && (
        <p id={description} className={clsx("text-xs", error ? "text-bad" : "text-faint")}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
}

export function TextField({ label, hint, error, className, ...rest }: FieldProps & ComponentProps<"input">) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(described) => <input {...described} {...rest} className={clsx(CONTROL, "h-8 max-sm:h-10", className)} />}
    </Field>
  );
}

export function TextArea({ label, hint, error, className, ...rest }: FieldProps & ComponentProps<"textarea">) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(described) => (
        <textarea
          spellCheck={false}
          rows={6}
          {...described}
          {...rest}
          className={clsx(CONTROL, "py-1.5 font-mono", className)}
        />
      )}
    </Field>
  );
}

export type Option = string | { value: string; label: string };

/** The system's own list: it works everywhere, on phones best. */
export function SelectField({
  label,
  hint,
  error,
  options,
  className,
  ...rest
}: FieldProps & ComponentProps<"select"> & { options: readonly Option[] }) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(described) => <Select {...described} {...rest} options={options} className={className} />}
    </Field>
  );
}

export function Select({ options, className, ...rest }: ComponentProps<"select"> & { options: readonly Option[] }) {
  return (
    <span className={clsx("relative inline-flex", className)}>
      <select {...rest} className={clsx(CONTROL, "h-8 appearance-none pr-7 max-sm:h-10")}>
        {options.map((option) => {
          const { value, label } = typeof option === "string" ? { value: option, label: option } : option;
          return (
            <option key={value} value={value}>
              {label}
            </option>
          );
        })}
      </select>
      <ChevronDown
        size={14}
        aria-hidden
        className="pointer-events-none absolute top-1/2 right-2 -translate-y-1/2 text-faint"
      />
    </span>
  );
}

export function CheckField({ label, hint, ...rest }: { label: ReactNode; hint?: ReactNode } & ComponentProps<"input">) {
  const id = useId();
  return (
    <div className="flex items-start gap-2 text-sm">
      <input id={id} type="checkbox" {...rest} className="mt-0.5 size-4 accent-ink" />
      <label htmlFor={id}>
        {label}
        {hint && <span className="block text-xs text-faint">{hint}</span>}
      </label>
    </div>
  );
}

const TYPING_MS = 250;

/** A filter by text: tells what was typed once the typing pauses. `/` on the page moves here. */
export function SearchField({
  value,
  onChange,
  label,
  className,
}: {
  value: string;
  onChange: (value: string) => void;
  label: string;
  className?: string;
}) {
  const [text, setText] = useState(value);
  const input = useRef<HTMLInputElement>(null);
  const told = useRef(value);
  useEffect(() => {
    if (value !== told.current) setText(value);
    told.current = value;
  }, [value]);
  useEffect(() => {
    if (text === told.current) return;
    const timer = setTimeout(() => {
      told.current = text;
      onChange(text);
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [text, onChange]);
  return (
    <span className={clsx("relative inline-flex min-w-0 grow sm:max-w-80", className)}>
      <Search
        size={14}
        aria-hidden
        className="pointer-events-none absolute top-1/2 left-2.5 -translate-y-1/2 text-faint"
      />
      <input
        ref={input}
        type="text"
        inputMode="search"
        data-search
        aria-label={label}
        placeholder={label}
        value={text}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          setText("");
          input.current?.blur();
        }}
        className={clsx(CONTROL, "h-8 px-8 max-sm:h-10")}
      />
      {text && (
        <button
          type="button"
          aria-label="Clear the search"
          onClick={() => {
            setText("");
            input.current?.focus();
          }}
          className="absolute top-1/2 right-1 -translate-y-1/2 p-1.5 text-faint hover:text-ink"
        >
          <X size={14} aria-hidden />
        </button>
      )}
    </span>
  );
}
