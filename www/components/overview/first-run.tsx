"use client";

/** For a broker that has seen nothing yet: how an application is pointed at it. */
import useSWR from "swr";
import { ButtonLink } from "@/components/ui/button";
import { Copy } from "@/components/ui/copy";
import { DEVELOPMENT_TOKEN } from "@/lib/broker/development";
import { ask, IS_STATIC, storedToken } from "@/lib/broker/transport";
import type { SigningKeys } from "@/lib/broker/types";

interface Address {
  url: string;
  /** Its token and keys are the public ones. */
  isDevelopment: boolean;
  keys?: SigningKeys;
}

export function FirstRun() {
  const { data: address } = useSWR<Address>("address", readAddress);
  return (
    <section className="border-t border-line px-5 py-5 max-sm:px-4" data-first-run>
      <h2 className="font-semibold">Nothing has come yet</h2>
      <p className="mt-1 max-w-prose text-sm text-soft">
        Point an application at this broker: put these lines into its <code className="font-mono">.env</code>, and start
        a workflow or publish a message. What happens shows here at once.
      </p>
      {address ? <Lines lines={linesOf(address)} /> : <div className="skeleton mt-4 h-28 max-w-3xl" />}
      <div className="mt-4 grid max-w-3xl gap-4 text-sm sm:grid-cols-2">
        <Step
          title="From a terminal"
          text={`curl -X POST "$QSTASH_URL/v2/publish/https://example.com" \\\n  -H "Authorization: Bearer $QSTASH_TOKEN" -d hello`}
        />
        <Step
          title="From code"
          text={`import { Client } from "@repo/orchestration/workflows";\n\nawait new Client().trigger({ url: "https://…/api/order" });`}
        />
      </div>
      <div className="mt-4 flex flex-wrap gap-2">
        {!IS_STATIC && (
          <ButtonLink kind="primary" href="/samples">
            Try the samples
          </ButtonLink>
        )}
        <ButtonLink href="/messages">Publish a message</ButtonLink>
        <ButtonLink href="/keys">Signing keys</ButtonLink>
        <ButtonLink href="/playground">Playground</ButtonLink>
      </div>
    </section>
  );
}

function Lines({ lines }: { lines: string[] }) {
  return (
    <div className="mt-4 max-w-3xl rounded-md border border-line bg-sunken">
      {lines.map((line) => (
        <div key={line} className="flex items-center gap-2 border-line pr-1 pl-3 not-first:border-t">
          <code className="min-w-0 flex-1 py-1.5 font-mono text-xs break-all">{line}</code>
          <Copy text={line} label={`Copy ${line.slice(0, line.indexOf("="))}`} />
        </div>
      ))}
      <div className="flex items-center justify-between border-t border-line py-1 pr-1 pl-3 text-xs text-faint">
        <span>All lines</span>
        <Copy text={`${lines.join("\n")}\n`} label="Copy all lines" />
      </div>
    </div>
  );
}

function Step({ title, text }: { title: string; text: string }) {
  return (
    <div className="min-w-0">
      <div className="flex items-center justify-between">
        <h3 className="text-xs font-medium text-faint">{title}</h3>
        <Copy text={text} label={`Copy: ${title}`} />
      </div>
      <pre className="rounded-md border border-line bg-sunken p-3 font-mono text-xs leading-5 break-words whitespace-pre-wrap">
        {text}
      </pre>
    </div>
  );
}

/** The token is shown only if everybody knows it. */
function linesOf({ url, isDevelopment, keys }: Address): string[] {
  if (!isDevelopment) {
    return [
      `QSTASH_URL="${url}"`,
      'QSTASH_TOKEN="the token of this broker"',
      'QSTASH_CURRENT_SIGNING_KEY="see Signing keys"',
      'QSTASH_NEXT_SIGNING_KEY="see Signing keys"',
    ];
  }
  return [
    `QSTASH_URL="${url}"`,
    `QSTASH_TOKEN="${DEVELOPMENT_TOKEN}"`,
    ...(keys ? [`QSTASH_CURRENT_SIGNING_KEY="${keys.current}"`, `QSTASH_NEXT_SIGNING_KEY="${keys.next}"`] : []),
  ];
}

async function readAddress(): Promise<Address> {
  const address = IS_STATIC
    ? { url: location.origin, isDevelopment: storedToken() === DEVELOPMENT_TOKEN }
    : ((await fetch("/api/address", { cache: "no-store" }).then((it) => it.json())) as Address);
  if (!address.isDevelopment) return address;
  const keys = await ask<SigningKeys>("/v2/keys").catch(() => undefined);
  return keys ? { ...address, keys } : address;
}
