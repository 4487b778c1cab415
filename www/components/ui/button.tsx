"use client";

import clsx from "clsx";
import { LoaderCircle, type LucideIcon } from "lucide-react";
import Link from "next/link";
import type { ButtonHTMLAttributes, ComponentProps, ReactNode } from "react";

type Kind = "primary" | "plain" | "quiet" | "danger";

const KINDS: Record<Kind, string> = {
  primary: "border-ink bg-ink text-invert hover:opacity-85",
  plain: "border-edge bg-surface text-ink hover:bg-sunken",
  quiet: "border-transparent text-soft hover:bg-sunken hover:text-ink",
  danger: "border-bad bg-surface text-bad hover:bg-bad-wash",
};

const BASE =
  "inline-flex h-8 shrink-0 items-center justify-center gap-1.5 rounded-md border px-2.5 text-sm font-medium whitespace-nowrap " +
  "disabled:cursor-not-allowed disabled:opacity-50 max-sm:h-10";

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: Kind;
  icon?: LucideIcon;
  /** Under way: shows that, and can't be pressed again. */
  isBusy?: boolean;
}

export function Button({ kind = "plain", icon: Icon, isBusy, className, children, disabled, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      className={clsx(BASE, KINDS[kind], className)}
      disabled={disabled || isBusy}
      aria-busy={isBusy || undefined}
      {...rest}
    >
      {isBusy ? <Spinner /> : Icon && <Icon size={15} aria-hidden />}
      {children}
    </button>
  );
}

export interface IconButtonProps extends Omit<ButtonProps, "children" | "icon"> {
  icon: LucideIcon;
  /** What it does, for who can't see the icon, and as its hint. */
  label: string;
}

export function IconButton({ icon: Icon, label, kind = "quiet", className, isBusy, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={clsx(BASE, KINDS[kind], "w-8 px-0! max-sm:w-10", className)}
      {...rest}
    >
      {isBusy ? <Spinner /> : <Icon size={16} aria-hidden />}
    </button>
  );
}

export function ButtonLink({
  kind = "plain",
  icon: Icon,
  className,
  children,
  ...rest
}: ComponentProps<typeof Link> & { kind?: Kind; icon?: LucideIcon; children: ReactNode }) {
  return (
    <Link className={clsx(BASE, KINDS[kind], className)} {...rest}>
      {Icon && <Icon size={15} aria-hidden />}
      {children}
    </Link>
  );
}

export function Spinner() {
  return <LoaderCircle size={15} aria-hidden className="animate-[turn_0.9s_linear_infinite]" />;
}
