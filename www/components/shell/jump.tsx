"use client";

/** Goes anywhere by what is typed: an id, a name, a page. Mounted while it is open. */
import { Autocomplete } from "@base-ui/react/autocomplete";
import { Dialog } from "@base-ui/react/dialog";
import { CornerDownLeft, Search } from "lucide-react";
import { useRouter } from "next/navigation";
import { useRef, useState } from "react";
import { PLACES } from "@/components/shell/navigation";
import type { FlowControlInfo, Queue, Schedule, UrlGroup } from "@/lib/broker/types";
import { useBrokerAll } from "@/lib/broker/use";
import { type Target, type TargetGroup, targetsOf } from "@/lib/jump";

const PAGES: Target[] = PLACES.flat().map(({ title, href }) => ({ title, href }));

export function JumpDialog({ onClose }: { onClose: () => void }) {
  const router = useRouter();
  const [text, setText] = useState("");
  const input = useRef<HTMLInputElement>(null);
  const targets = targetsOf(text, useNames());
  const go = ({ href }: Target) => {
    onClose();
    router.push(href);
  };
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-40 bg-[#0008]" />
        <Dialog.Popup
          aria-label="Jump to"
          initialFocus={input}
          className="fixed top-[12dvh] left-1/2 z-50 flex max-h-[70dvh] w-[calc(100vw-2rem)] max-w-xl -translate-x-1/2 flex-col rounded-md border border-edge bg-surface"
        >
          <Autocomplete.Root
            inline
            open
            mode="none"
            autoHighlight="always"
            keepHighlight
            items={targets}
            value={text}
            onValueChange={setText}
            itemToStringValue={(target: Target) => target.title}
          >
            <div className="flex items-center gap-2.5 border-b border-line px-4">
              <Search size={16} aria-hidden className="shrink-0 text-faint" />
              <Autocomplete.Input
                ref={input}
                aria-label="Run, message or dead letter id, queue, schedule or page"
                placeholder="Id, name or page"
                spellCheck={false}
                autoComplete="off"
                className="h-11 min-w-0 flex-1 bg-transparent text-base outline-none placeholder:text-faint max-sm:text-lg"
              />
            </div>
            <Autocomplete.Empty className="px-4 py-4 text-sm text-soft empty:hidden">
              Nothing has such a name. Ids begin with wfr_, msg_ or scd_.
            </Autocomplete.Empty>
            <Autocomplete.List className="min-h-0 flex-1 overflow-y-auto py-2 empty:hidden">
              {(group: TargetGroup) => (
                <Autocomplete.Group key={group.value} items={group.items} className="pb-1">
                  <Autocomplete.GroupLabel className="px-4 py-1 text-xs text-faint">
                    {group.value}
                  </Autocomplete.GroupLabel>
                  <Autocomplete.Collection>
                    {(target: Target) => (
                      <Autocomplete.Item
                        key={target.href}
                        value={target}
                        onClick={() => go(target)}
                        className="group flex h-8 cursor-pointer items-center justify-between gap-4 px-4 text-sm data-[highlighted]:bg-sunken max-sm:h-11"
                      >
                        <span className="truncate">{target.title}</span>
                        <CornerDownLeft
                          size={14}
                          aria-hidden
                          className="shrink-0 text-faint opacity-0 group-data-[highlighted]:opacity-100"
                        />
                      </Autocomplete.Item>
                    )}
                  </Autocomplete.Collection>
                </Autocomplete.Group>
              )}
            </Autocomplete.List>
          </Autocomplete.Root>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** What the broker knows by name; what can't be read is left out. */
function useNames() {
  const queues = useBrokerAll<Queue>("/v2/queues").data ?? [];
  const groups = useBrokerAll<UrlGroup>("/v2/topics").data ?? [];
  const schedules = useBrokerAll<Schedule>("/v2/schedules").data ?? [];
  const keys = useBrokerAll<FlowControlInfo>("/v2/flowControl").data ?? [];
  return {
    pages: PAGES,
    queues: queues.map(({ name }) => name),
    groups: groups.map(({ name }) => name),
    schedules: schedules.map(({ scheduleId }) => scheduleId),
    keys: keys.map(({ flowControlKey }) => flowControlKey),
  };
}
