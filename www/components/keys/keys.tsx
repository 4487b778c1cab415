"use client";

import { Eye, EyeOff, RotateCw } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { environment } from "@/components/keys/environment";
import { Button } from "@/components/ui/button";
import { Copy } from "@/components/ui/copy";
import { Failure, SkeletonBlock } from "@/components/ui/notice";
import { PageHeader, Section } from "@/components/ui/page";
import { IS_STATIC } from "@/lib/broker/transport";
import type { SigningKeys } from "@/lib/broker/types";
import { useBroker } from "@/lib/broker/use";

const RotateDialog = dynamic(() => import("@/components/keys/rotate-dialog").then((it) => it.RotateDialog));

const FORBIDDEN = 403;

export function Keys() {
  const { data, error, reload } = useBroker<SigningKeys>("/v2/keys", undefined, {
    shouldRetryOnError: (reason) => reason.status !== FORBIDDEN,
  });
  const [isRotating, setRotating] = useState(false);
  const mayNot = error?.status === FORBIDDEN;
  return (
    <>
      <PageHeader
        title="Signing keys"
        actions={
          data &&
          !mayNot && (
            <Button icon={RotateCw} onClick={() => setRotating(true)}>
              Rotate
            </Button>
          )
        }
      >
        The broker signs each delivery with the current key. An endpoint accepts both, so that keys can change without a
        gap.
      </PageHeader>
      {mayNot && <ReadOnly />}
      {error && !mayNot && <Failure error={error} retry={reload} what="The signing keys" />}
      {!data && !error && (
        <div className="px-5 max-sm:px-4">
          <SkeletonBlock height="9rem" />
        </div>
      )}
      {data && !mayNot && <Shown keys={data} />}
      {isRotating && <RotateDialog onClose={() => setRotating(false)} onDone={reload} />}
    </>
  );
}

function ReadOnly() {
  return (
    <div className="mx-5 max-w-prose border-t border-line py-6 text-sm max-sm:mx-4">
      <p className="font-medium">A read-only token does not show the signing keys.</p>
      <p className="mt-1 text-soft">
        Whoever knows them can forge deliveries.{" "}
        {IS_STATIC
          ? "Sign out, and in again with QSTASH_TOKEN of this broker, to see or rotate them."
          : "Set QSTASH_TOKEN of this app to the broker’s own token to see or rotate them here."}
      </p>
    </div>
  );
}

function Shown({ keys }: { keys: SigningKeys }) {
  const [isRevealed, setRevealed] = useState(false);
  const lines = environment(keys);
  return (
    <>
      <Section
        title="Keys"
        actions={
          <Button icon={isRevealed ? EyeOff : Eye} aria-pressed={isRevealed} onClick={() => setRevealed(!isRevealed)}>
            {isRevealed ? "Hide" : "Reveal"}
          </Button>
        }
      >
        <dl className="max-w-2xl border-b border-line text-sm">
          <Key name="Current" hint="Signs what is delivered now." value={keys.current} isRevealed={isRevealed} />
          <Key
            name="Next"
            hint="Becomes the current one when the keys are rotated."
            value={keys.next}
            isRevealed={isRevealed}
          />
        </dl>
      </Section>
      <Section title="In the environment of your endpoints" actions={<Copy text={lines} label="Copy both lines" />}>
        <pre
          // biome-ignore lint/a11y/noNoninteractiveTabindex: who scrolls by keyboard needs it
          tabIndex={0}
          className="max-w-2xl overflow-x-auto border border-line bg-sunken px-3 py-2 font-mono text-xs leading-5"
        >
          {isRevealed ? lines : environment({ current: hidden(keys.current), next: hidden(keys.next) })}
        </pre>
        <p className="mt-2 max-w-prose text-sm text-soft">
          The receiver of this package, and the official SDKs, read these two. The copy holds the keys, also while they
          are hidden here.
        </p>
      </Section>
    </>
  );
}

function Key({ name, hint, value, isRevealed }: { name: string; hint: string; value: string; isRevealed: boolean }) {
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-1 border-t border-line py-2">
      <dt className="w-44">
        <span className="block font-medium">{name}</span>
        <span className="block text-xs text-faint">{hint}</span>
      </dt>
      <dd className="flex min-w-0 items-center gap-1">
        <code className="min-w-0 font-mono text-xs break-all" data-key={name.toLowerCase()}>
          {isRevealed ? value : hidden(value)}
        </code>
        <Copy text={value} label={`Copy the ${name.toLowerCase()} key`} />
      </dd>
    </div>
  );
}

/** What tells keys apart, and nothing of what makes them secret. */
const hidden = (key: string): string => `${key.startsWith("sig_") ? "sig_" : ""}${"•".repeat(20)}`;
