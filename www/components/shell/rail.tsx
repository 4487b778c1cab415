"use client";

import clsx from "clsx";
import { CircleHelp, LogOut, Monitor, Moon, Search, Sun } from "lucide-react";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { useEffect, useState } from "react";
import { isAt, PLACES, type Place } from "@/components/shell/navigation";
import { IconButton } from "@/components/ui/button";
import { Status } from "@/components/ui/status";
import { type Connection, useConnection } from "@/lib/live";
import type { Session } from "@/lib/session";
import { type Choice, choice, choose } from "@/lib/theme";

interface RailProps {
  isOpen: boolean;
  session: Session;
  onJump: () => void;
  onKeys: () => void;
}

export function Rail({ isOpen, session, onJump, onKeys }: RailProps) {
  const path = usePathname();
  return (
    <nav
      id="rail"
      aria-label="Pages"
      className={clsx(
        "flex shrink-0 flex-col border-line md:w-52 md:border-r max-md:max-h-[80dvh] max-md:overflow-y-auto max-md:border-b",
        !isOpen && "max-md:hidden",
      )}
    >
      <div className="flex h-14 items-center gap-2.5 px-4 max-md:hidden">
        <Mark />
        <span className="font-semibold tracking-tight">orchestration</span>
      </div>
      <button
        type="button"
        onClick={onJump}
        className="mx-3 mb-2 flex h-8 items-center gap-2 rounded-md border border-line px-2 text-sm text-faint hover:bg-sunken hover:text-ink max-md:mt-2 max-md:mb-0 max-md:h-11"
      >
        <Search size={14} aria-hidden />
        <span className="flex-1 text-left">Jump to…</span>
        <kbd className="font-mono text-xs max-md:hidden" aria-hidden>
          Ctrl K
        </kbd>
      </button>
      <div className="flex-1 overflow-y-auto pb-4 max-md:pt-2">
        {PLACES.map((group, index) => (
          <ul key={group[0]?.href} className={clsx(index > 0 && "mt-2 border-t border-line pt-2")}>
            {group.map((place) => (
              <li key={place.href}>
                <RailLink place={place} isHere={isAt(path, place)} />
              </li>
            ))}
          </ul>
        ))}
      </div>
      <div className="flex items-center justify-between gap-2 border-t border-line py-2 pr-2 pl-4">
        {session.isSignedIn ? <ConnectionStatus /> : <span />}
        <span className="flex">
          <IconButton icon={CircleHelp} label="Keys" onClick={onKeys} className="max-md:hidden" />
          <ThemeButton />
          {session.isSignedIn && session.isRequired && (
            <IconButton icon={LogOut} label="Sign out" onClick={() => void session.signOut()} />
          )}
        </span>
      </div>
    </nav>
  );
}

/** What the page needs is loaded when somebody is about to go there, not with every other page. */
function RailLink({ place, isHere }: { place: Place; isHere: boolean }) {
  const [isNear, setNear] = useState(false);
  const Icon = place.icon;
  return (
    <Link
      href={place.href}
      prefetch={isNear ? null : false}
      onPointerEnter={() => setNear(true)}
      onFocus={() => setNear(true)}
      aria-current={isHere ? "page" : undefined}
      className={clsx(
        "relative flex h-8 items-center gap-2.5 px-4 text-sm max-md:h-11",
        isHere
          ? "font-medium text-ink before:absolute before:inset-y-1 before:left-0 before:w-1 before:bg-marker"
          : "text-soft hover:bg-sunken hover:text-ink",
      )}
    >
      <Icon size={15} aria-hidden />
      <span className="flex-1">{place.title}</span>
      <kbd className="font-mono text-xs text-faint max-md:hidden" aria-hidden>
        g {place.key}
      </kbd>
    </Link>
  );
}

/** A track that joins another, and the block that is taken. */
export function Mark() {
  return (
    <svg width="22" height="16" viewBox="0 0 22 16" fill="none" stroke="currentColor" strokeWidth="2" aria-hidden>
      <path d="M0 3h22M0 13h6l5-10" />
      <rect x="13" y="9" width="8" height="7" fill="var(--marker)" stroke="none" />
    </svg>
  );
}

const CONNECTIONS: Record<Connection, Parameters<typeof Status>[0]> = {
  connecting: { tone: "idle", shape: "ring", children: "Connecting" },
  live: { tone: "ok", shape: "dot", children: "Live" },
  polling: { tone: "warn", shape: "diamond", children: "Every 5 s" },
  lost: { tone: "bad", shape: "cross", children: "Not connected" },
};

function ConnectionStatus() {
  const connection = useConnection();
  return (
    <span role="status" data-connection={connection} className="text-xs">
      <Status {...CONNECTIONS[connection]} />
    </span>
  );
}

const NEXT: Record<Choice, Choice> = { system: "light", light: "dark", dark: "system" };
const ICONS = { system: Monitor, light: Sun, dark: Moon };

function ThemeButton() {
  const [current, setCurrent] = useState<Choice>("system");
  useEffect(() => setCurrent(choice()), []);
  return (
    <IconButton
      icon={ICONS[current]}
      label={`Theme: ${current}; press for ${NEXT[current]}`}
      onClick={() => {
        choose(NEXT[current]);
        setCurrent(NEXT[current]);
      }}
    />
  );
}
