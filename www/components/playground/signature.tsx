"use client";

/** Why a signature is accepted or refused, check by check, by the receiver itself. */
import type { SignatureExplanation } from "@repo/orchestration/client";
import { PenLine } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { Checks } from "@/components/playground/checks";
import { Button } from "@/components/ui/button";
import { SelectField, TextArea, TextField } from "@/components/ui/field";
import { useNow } from "@/components/ui/time";
import { DEVELOPMENT_KEYS, signatureOf } from "@/lib/playground/sign";

const EMPTY = { signature: "", body: "", url: "", current: "", next: "", tolerance: "5", region: "", keysOf: "" };
type Input = typeof EMPTY;

const TYPING_MS = 150;
/** So often the times are looked at again. */
const LOOK_MS = 5_000;

const REGIONS = [
  { value: "", label: "every request" },
  { value: "EU_CENTRAL_1", label: "EU_CENTRAL_1" },
  { value: "US_EAST_1", label: "US_EAST_1" },
];

export function Signature() {
  const [input, setInput] = useState(EMPTY);
  const set = (name: keyof Input) => (event: { target: { value: string } }) =>
    setInput((former) => ({ ...former, [name]: event.target.value }));
  const [failure, setFailure] = useState<string>();
  const found = useExplanation(input);

  const makeExample = async () => {
    try {
      const body = JSON.stringify({ orderId: 42, items: ["lamp"] });
      const url = "https://shop.example/api/workflow";
      const signature = await signatureOf(url, body, DEVELOPMENT_KEYS.current, Date.now());
      setInput({ ...EMPTY, signature, body, url, ...DEVELOPMENT_KEYS });
      setFailure(undefined);
    } catch {
      setFailure("This browser signs only on pages that came by https, or from localhost.");
    }
  };
  return (
    <div className="grid gap-x-8 gap-y-6 lg:grid-cols-[minmax(0,1fr)_minmax(0,1.1fr)]">
      <form className="flex min-w-0 flex-col gap-3" onSubmit={(event) => event.preventDefault()}>
        <div className="flex flex-wrap items-center gap-2">
          <Button icon={PenLine} onClick={() => void makeExample()}>
            Make an example
          </Button>
          <Button kind="quiet" onClick={() => setInput(EMPTY)}>
            Clear
          </Button>
          <span className="text-xs text-faint">
            {failure ?? "Signed with the development keys, good for 5 minutes."}
          </span>
        </div>
        <TextArea
          label="Upstash-Signature"
          hint="The header’s value: a JWT."
          rows={4}
          value={input.signature}
          onChange={set("signature")}
          className="break-all"
        />
        <TextArea
          label="Body"
          hint="The raw body, before anything parsed it."
          rows={4}
          value={input.body}
          onChange={set("body")}
        />
        <TextField
          label="URL"
          hint="The one that the request came to; not looked at if empty."
          value={input.url}
          onChange={set("url")}
          className="font-mono"
        />
        <div className="grid gap-3 sm:grid-cols-2">
          <TextField
            label="Current signing key"
            value={input.current}
            onChange={set("current")}
            autoComplete="off"
            spellCheck={false}
            className="font-mono"
          />
          <TextField
            label="Next signing key"
            value={input.next}
            onChange={set("next")}
            autoComplete="off"
            spellCheck={false}
            className="font-mono"
          />
        </div>
        <div className="grid gap-3 sm:grid-cols-3">
          <TextField label="Tolerance (s)" inputMode="decimal" value={input.tolerance} onChange={set("tolerance")} />
          <SelectField label="The keys are for" options={REGIONS} value={input.keysOf} onChange={set("keysOf")} />
          <TextField label="Upstash-Region" placeholder="us-east-1" value={input.region} onChange={set("region")} />
        </div>
      </form>
      <section aria-live="polite" className="min-w-0">
        <Outcome {...found} hasSignature={input.signature.trim() !== ""} url={input.url} />
      </section>
    </div>
  );
}

interface Found {
  explanation?: SignatureExplanation;
  error?: string;
}

function Outcome({ explanation, error, hasSignature, url }: Found & { hasSignature: boolean; url: string }): ReactNode {
  if (!hasSignature) {
    return (
      <p className="max-w-prose border-t border-line pt-3 text-sm text-soft">
        Paste the value of the header, the body and the keys; or make an example, then change one of them and see which
        check tells.
      </p>
    );
  }
  if (error) return <p className="border-l-4 border-bad bg-bad-wash px-3 py-2 text-sm">{error}</p>;
  return explanation ? <Checks explanation={explanation} url={url} /> : <div className="skeleton h-96" />;
}

/** Explained again while it is typed, and as time goes on. */
function useExplanation(input: Input): Found {
  const [found, setFound] = useState<Found>({});
  const look = Math.floor(useNow() / LOOK_MS);
  // biome-ignore lint/correctness/useExhaustiveDependencies: time makes it another question
  useEffect(() => {
    if (input.signature.trim() === "") return;
    let isCurrent = true;
    const timer = setTimeout(() => {
      explain(input).then(
        (explanation) => isCurrent && setFound({ explanation }),
        (error: Error) => isCurrent && setFound({ error: error.message }),
      );
    }, TYPING_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [input, look]);
  return found;
}

async function explain({
  signature,
  body,
  url,
  current,
  next,
  tolerance,
  region,
  keysOf,
}: Input): Promise<SignatureExplanation> {
  const { Receiver } = await import("@repo/orchestration/client");
  const keys = { CURRENT: current.trim(), NEXT: next.trim() };
  const prefix = keysOf ? `${keysOf}_` : "";
  const env = Object.fromEntries(
    Object.entries(keys).flatMap(([name, key]) => (key ? [[`${prefix}QSTASH_${name}_SIGNING_KEY`, key]] : [])),
  );
  const receiver = new Receiver({ env: { ...env, ...(keysOf ? { QSTASH_REGION: keysOf } : {}) }, devMode: false });
  return receiver.explain({
    signature: signature.trim(),
    body,
    url: url.trim() || undefined,
    clockTolerance: tolerance.trim() === "" ? undefined : Number(tolerance),
    upstashRegion: region.trim() || undefined,
  });
}
