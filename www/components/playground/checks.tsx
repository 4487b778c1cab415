"use client";

import type { SignatureCheck, SignatureCheckName, SignatureExplanation } from "@repo/orchestration/client";
import type { ReactNode } from "react";
import { Payload } from "@/components/ui/payload";
import { Status } from "@/components/ui/status";
import { useNow } from "@/components/ui/time";
import { dateTime, relative } from "@/lib/format";

const OUTCOMES = {
  passed: { tone: "ok", shape: "dot", children: "Passed" },
  failed: { tone: "bad", shape: "cross", children: "Failed" },
  skipped: { tone: "idle", shape: "bar", children: "Not looked at" },
} as const;

export function Checks({ explanation, url }: { explanation: SignatureExplanation; url: string }) {
  const { isValid, checks, signedBy, header, claims } = explanation;
  const failed = checks.find(({ outcome }) => outcome === "failed");
  return (
    <>
      <p className="border-t border-line py-3 text-lg" data-valid={isValid}>
        <Status tone={isValid ? "ok" : "bad"} shape={isValid ? "dot" : "cross"} className="font-semibold">
          {isValid ? "Accepted" : "Refused"}
        </Status>
        {failed && <code className="ml-3 font-mono text-sm text-soft">{failed.code}</code>}
      </p>
      <ol className="border-b border-line">
        {checks.map((check) => (
          <li
            key={check.check}
            data-check={check.check}
            data-outcome={check.outcome}
            className="grid grid-cols-[8rem_minmax(0,1fr)] gap-x-4 border-t border-line py-2 text-sm max-sm:grid-cols-1"
          >
            <Status {...OUTCOMES[check.outcome]} />
            <div className="min-w-0">
              <p className="font-medium">{TITLES[check.check]}</p>
              <p className="break-words text-soft">
                <Detail check={check} explanation={explanation} url={url} />
              </p>
            </div>
          </li>
        ))}
      </ol>
      {claims && (
        <div className="mt-4 grid gap-4">
          <Times claims={claims} />
          <div>
            <h3 className="mb-1 text-xs font-medium text-faint">Claims{signedBy ? "" : ": nobody vouches for them"}</h3>
            <Payload value={claims} label="claims" />
          </div>
          <div>
            <h3 className="mb-1 text-xs font-medium text-faint">Header</h3>
            <Payload value={header} label="header" />
          </div>
        </div>
      )}
    </>
  );
}

const TITLES: Record<SignatureCheckName, string> = {
  form: "Form",
  algorithm: "Algorithm",
  key: "Signature",
  issuer: "Issuer (iss)",
  claims: "Claims",
  subject: "URL (sub)",
  expiry: "Expiry (exp)",
  notBefore: "Not before (nbf)",
  body: "Body",
};

const PASSED: Record<SignatureCheckName, (explanation: SignatureExplanation) => ReactNode> = {
  form: () => "Three parts in base64url; header and claims are JSON.",
  algorithm: () => "HS256, the only one that is accepted.",
  key: ({ signedBy }) =>
    signedBy === "next" ? "Made with the next key: the keys were rotated." : "Made with the current key.",
  issuer: () => "Upstash.",
  claims: () => "All that are needed are there, and of the right kind.",
  subject: ({ claims }) => `Made for ${String(claims?.sub)}`,
  expiry: ({ claims }) => <Moment seconds={claims?.exp} />,
  notBefore: ({ claims }) => (claims?.nbf ? <Moment seconds={claims.nbf} /> : "Good from the beginning of time."),
  body: ({ claims }) => `SHA-256 ${String(claims?.body)}`,
};

function Detail({
  check: { check, outcome, message },
  explanation,
  url,
}: {
  check: SignatureCheck;
  explanation: SignatureExplanation;
  url: string;
}) {
  if (outcome === "passed") return PASSED[check](explanation);
  if (outcome === "failed") return message;
  if (check === "subject" && url.trim() === "") return "No URL was given to compare with.";
  return "A check before it failed that it needs.";
}

function Moment({ seconds }: { seconds: unknown }) {
  const now = useNow();
  if (typeof seconds !== "number") return String(seconds);
  const at = seconds * 1_000;
  return (
    <time dateTime={new Date(at).toISOString()}>
      {dateTime(at)}
      {now > 0 && ` (${relative(at, now)})`}
    </time>
  );
}

/** The claims that are dates, as such. */
function Times({ claims }: { claims: Record<string, unknown> }) {
  const dates = (["iat", "nbf", "exp"] as const).filter(
    (name) => typeof claims[name] === "number" && isDate(claims[name]),
  );
  if (dates.length === 0) return null;
  return (
    <dl className="grid grid-cols-[max-content_minmax(0,1fr)] gap-x-6 gap-y-1 text-sm">
      {dates.map((name) => (
        <div key={name} className="contents">
          <dt className="text-faint">{NAMES[name]}</dt>
          <dd>{claims[name] === 0 ? "0: at once" : <Moment seconds={claims[name]} />}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What JavaScript can show as a date. */
const isDate = (seconds: number): boolean => Math.abs(seconds) <= 8.64e12;

const NAMES = { iat: "Signed (iat)", nbf: "Not before (nbf)", exp: "Expires (exp)" };
