"use client";

import { Menu as Base } from "@base-ui/react/menu";
import clsx from "clsx";
import { ChevronDown, Ellipsis, type LucideIcon } from "lucide-react";
import Link from "next/link";
import { Button, IconButton } from "@/components/ui/button";

/** Something to do, or a page to go to. */
export interface MenuEntry {
  label: string;
  icon?: LucideIcon;
  onSelect?: () => void;
  href?: string;
  isDangerous?: boolean;
}

const ENTRY =
  "flex h-8 items-center gap-2 px-3 text-sm whitespace-nowrap outline-none data-[highlighted]:bg-sunken max-sm:h-11";

/** What can be done with one thing, behind three dots or a button that says it; entries that are `false` are left out. */
export function ActionMenu({
  label,
  entries,
  isText,
}: {
  label: string;
  entries: readonly (MenuEntry | false)[];
  /** Shows the label. */
  isText?: boolean;
}) {
  const trigger = isText ? (
    <Button>
      {label}
      <ChevronDown size={14} aria-hidden />
    </Button>
  ) : (
    <IconButton icon={Ellipsis} label={label} />
  );
  return (
    <Base.Root>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner align="end" sideOffset={4} className="z-30 outline-none">
          <Base.Popup className="min-w-44 rounded-md border border-edge bg-surface py-1 outline-none">
            {entries.map((entry) => entry && <Entry key={entry.label} {...entry} />)}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

function Entry({ label, icon: Icon, onSelect, href, isDangerous }: MenuEntry) {
  const content = (
    <>
      {Icon ? <Icon size={15} aria-hidden /> : <span className="w-[15px]" />}
      {label}
    </>
  );
  const className = clsx(ENTRY, isDangerous ? "text-bad" : "text-ink");
  if (href !== undefined) {
    return (
      <Base.LinkItem render={<Link href={href} prefetch={false} />} closeOnClick className={className}>
        {content}
      </Base.LinkItem>
    );
  }
  return (
    <Base.Item onClick={() => onSelect?.()} className={clsx(className, "cursor-pointer")}>
      {content}
    </Base.Item>
  );
}
