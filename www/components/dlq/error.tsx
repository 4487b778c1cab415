"use client";

import { errorIn } from "@/components/messages/exchange";
import { useMasked } from "@/components/ui/masked";
import type { DeadLetter } from "@/lib/broker/types";

/** What went wrong, in a line. */
export function LetterError({ letter }: { letter: DeadLetter }) {
  const told = errorIn(letter.responseBody);
  const masked = useMasked(told?.message ?? letter.error ?? "");
  return <span title={masked}>{masked}</span>;
}
