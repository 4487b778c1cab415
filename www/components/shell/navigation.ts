/** The pages, in the order of the rail. */
import {
  Activity,
  CalendarClock,
  FlaskConical,
  Gauge,
  Inbox,
  KeyRound,
  type LucideIcon,
  Network,
  PlayCircle,
  Rows3,
  ScrollText,
  Skull,
  Workflow,
} from "lucide-react";
import { IS_STATIC } from "@/lib/broker/transport";

export interface Place {
  href: string;
  title: string;
  icon: LucideIcon;
  /** After `g`. */
  key: string;
  /** Other paths that belong to it. */
  also?: readonly string[];
}

export const PLACES: readonly (readonly Place[])[] = [
  [
    { href: "/", title: "Overview", icon: Activity, key: "o" },
    { href: "/runs", title: "Runs", icon: Workflow, key: "r", also: ["/run"] },
    { href: "/messages", title: "Messages", icon: Inbox, key: "m", also: ["/message"] },
    { href: "/logs", title: "Logs", icon: ScrollText, key: "l" },
    { href: "/dlq", title: "Dead letters", icon: Skull, key: "d" },
  ],
  [
    { href: "/queues", title: "Queues", icon: Rows3, key: "q" },
    { href: "/url-groups", title: "URL groups", icon: Network, key: "u" },
    { href: "/schedules", title: "Schedules", icon: CalendarClock, key: "s" },
    { href: "/flow-control", title: "Flow control", icon: Gauge, key: "f" },
    { href: "/keys", title: "Signing keys", icon: KeyRound, key: "k" },
  ],
  [
    { href: "/playground", title: "Playground", icon: FlaskConical, key: "p" },
    // Samples need a server that runs them.
    ...(IS_STATIC ? [] : [{ href: "/samples", title: "Samples", icon: PlayCircle, key: "e" }]),
  ],
];

/** Whether a path belongs to a place; both builds may have a slash at the end. */
export function isAt(path: string, place: Place): boolean {
  const plain = path.replace(/\/$/, "") || "/";
  return [place.href, ...(place.also ?? [])].includes(plain);
}
