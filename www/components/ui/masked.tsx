"use client";

import { useEffect, useState } from "react";

/** See {@link useMasked}. */
export function Masked({ text = "" }: { text?: string | undefined }) {
  return <>{useMasked(text)}</>;
}

/** An error, a URL or another text of somebody's, with the secrets in it masked; `…` until the rules are there. */
export function useMasked(text: string): string {
  const [masked, setMasked] = useState<{ of: string; text: string }>();
  useEffect(() => {
    if (text === "") return;
    let isCurrent = true;
    import("@repo/orchestration/shared/utils/data-masking").then(
      ({ maskText }) => isCurrent && setMasked({ of: text, text: maskText(text) }),
      () => isCurrent && setMasked({ of: text, text: "(the masking of secrets could not be loaded)" }),
    );
    return () => {
      isCurrent = false;
    };
  }, [text]);
  if (text === "") return "";
  return masked?.of === text ? masked.text : "…";
}
