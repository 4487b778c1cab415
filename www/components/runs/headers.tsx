"use client";

/** Headers, out of the way; secrets in them are masked like those of a body. */
import { Payload } from "@/components/ui/payload";
import type { HeaderLists } from "@/lib/broker/types";

export function Headers({ title, headers }: { title: string; headers: HeaderLists }) {
  const names = Object.keys(headers);
  if (names.length === 0) return null;
  const plain = Object.fromEntries(names.map((name) => [name, headers[name]?.join(", ") ?? ""]));
  return (
    <details className="mt-2 text-sm">
      <summary>
        {title} <span className="text-faint">({names.length})</span>
      </summary>
      <div className="pt-2">
        <Payload value={plain} label={title} />
      </div>
    </details>
  );
}
