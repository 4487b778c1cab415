"use client";

/** Whether somebody should look, why, and what to do. */
import Link from "next/link";
import { Status } from "@/components/ui/status";
import { Ago } from "@/components/ui/time";
import type { Metrics } from "@/lib/broker/types";

export function Health({ health }: { health: Metrics["health"] }) {
  if (health.reasons.length === 0) {
    return (
      <p className="px-5 pb-3 text-sm max-sm:px-4" data-health="ok">
        <Status tone="ok" shape="dot">
          Working
        </Status>
        <span className="text-soft"> · nothing is overdue, and nothing was given up in this time.</span>
      </p>
    );
  }
  return (
    <ul
      className="mx-5 mb-4 divide-y divide-line border-l-4 border-warn bg-warn-wash px-4 py-1 text-sm max-sm:mx-4"
      data-health={health.status}
    >
      {health.reasons.map((reason) => (
        <li key={reason.code} className="flex flex-wrap items-baseline gap-x-3 py-1.5">
          <Reason {...reason} />
        </li>
      ))}
    </ul>
  );
}

/** What to do about what our broker tells; another code is told in the broker's own words. */
const ADVICE: Record<string, { title: (count: number) => string; todo: string; href?: string; link?: string }> = {
  overdue: {
    title: (count) => `${count} ${count === 1 ? "message is" : "messages are"} overdue by more than a minute`,
    todo: "Look whether the broker runs, and whether a queue or a flow-control key lets too few through.",
    href: "/messages",
    link: "Messages",
  },
  deadLetters: {
    title: (count) => `${count} ${count === 1 ? "message was" : "messages were"} given up in this time`,
    todo: "See why their endpoints failed, mend that, then retry or resume them.",
    href: "/dlq",
    link: "Dead letters",
  },
  shardUnreachable: {
    title: (count) =>
      `${count} ${count === 1 ? "way" : "ways"} between shards of the broker ${count === 1 ? "fails" : "fail"}`,
    todo: "What is to be told is sent again until it arrives; if this stays, look at the Worker’s own log.",
  },
};

function Reason({ code, count, since, message }: Metrics["health"]["reasons"][number]) {
  const { title, todo, href, link } = ADVICE[code] ?? { title: () => message, todo: "" };
  return (
    <>
      <Status tone="warn" shape="diamond" className="font-medium">
        {title(count)}
      </Status>
      {since !== undefined && (
        <span className="text-soft">
          since <Ago at={since} />
        </span>
      )}
      {todo && <span className="text-ink">{todo}</span>}
      {href && (
        <Link href={href} className="font-medium underline">
          {link}
        </Link>
      )}
    </>
  );
}
