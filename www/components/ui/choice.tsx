"use client";

import clsx from "clsx";

/** One of a few, all in sight. */
export function Choice<Value extends string>({
  label,
  options,
  value,
  onChange,
}: {
  label: string;
  options: readonly { value: Value; label: string }[];
  value: Value;
  onChange: (value: Value) => void;
}) {
  return (
    <span role="group" aria-label={label} className="inline-flex h-8 rounded-md border border-edge max-sm:h-10">
      {options.map((option, index) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          onClick={() => onChange(option.value)}
          className={clsx(
            "px-2.5 text-sm font-medium whitespace-nowrap",
            index > 0 && "border-l border-edge",
            option.value === value ? "bg-ink text-invert" : "bg-surface text-soft hover:bg-sunken hover:text-ink",
          )}
        >
          {option.label}
        </button>
      ))}
    </span>
  );
}
