"use client";

import { Tabs as Base } from "@base-ui/react/tabs";
import type { ReactNode } from "react";

export interface Tab {
  id: string;
  title: ReactNode;
  content: ReactNode;
}

export function Tabs({
  tabs,
  value,
  onChange,
  label,
}: {
  tabs: Tab[];
  value?: string;
  onChange?: (id: string) => void;
  label: string;
}) {
  const control = value === undefined ? { defaultValue: tabs[0]?.id } : { value };
  return (
    <Base.Root {...control} onValueChange={(id) => onChange?.(String(id))}>
      <Base.List aria-label={label} className="flex gap-4 overflow-x-auto border-b border-line">
        {tabs.map(({ id, title }) => (
          <Base.Tab
            key={id}
            value={id}
            className="-mb-px shrink-0 border-b-2 border-transparent pb-1.5 text-sm text-soft hover:text-ink data-[active]:border-ink data-[active]:font-medium data-[active]:text-ink"
          >
            {title}
          </Base.Tab>
        ))}
      </Base.List>
      {tabs.map(({ id, content }) => (
        <Base.Panel key={id} value={id} className="pt-3">
          {content}
        </Base.Panel>
      ))}
    </Base.Root>
  );
}
