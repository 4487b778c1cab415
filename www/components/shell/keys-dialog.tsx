"use client";

import { PLACES } from "@/components/shell/navigation";
import { Dialog } from "@/components/ui/dialog";

const ANYWHERE: [keys: string[], does: string][] = [
  [["Ctrl K", "⌘ K"], "Jump to an id, a name or a page"],
  [["/"], "To the search of the page"],
  [["?"], "These keys"],
  [["Esc"], "Close a dialog or a menu; empty the search"],
];

const IN_LISTS: [keys: string[], does: string][] = [
  [["↑", "↓"], "From row to row"],
  [["Home", "End"], "To the first row, to the last that is loaded"],
  [["Enter"], "Open the row"],
  [["Tab"], "To the actions of the row"],
];

/** Every key that does something. Mounted while it is open. */
export function KeysDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog isOpen onClose={onClose} title="Keys" isWide>
      <div className="grid gap-x-8 gap-y-5 sm:grid-cols-2">
        <Keys title="Anywhere" keys={ANYWHERE} />
        <Keys title="Go to a page" keys={PLACES.flat().map(({ key, title }) => [[`g ${key}`], title])} />
        <Keys title="In a list" keys={IN_LISTS} />
      </div>
    </Dialog>
  );
}

function Keys({ title, keys }: { title: string; keys: [keys: string[], does: string][] }) {
  return (
    <section className="last:sm:col-start-1 last:sm:row-start-2 nth-[2]:sm:row-span-2">
      <h3 className="mb-1 font-medium">{title}</h3>
      <dl className="grid grid-cols-[max-content_minmax(0,1fr)] items-baseline gap-x-4 gap-y-1">
        {keys.map(([names, does]) => (
          <div key={does} className="contents">
            <dt className="flex gap-1">
              {names.map((name) => (
                <kbd key={name} className="rounded-sm border border-edge bg-sunken px-1.5 font-mono text-xs leading-5">
                  {name}
                </kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
