import type { SigningKeys } from "@/lib/broker/types";

/** The lines of a `.env`, as receivers read them. */
export const environment = ({ current, next }: SigningKeys): string =>
  `QSTASH_CURRENT_SIGNING_KEY=${current}\nQSTASH_NEXT_SIGNING_KEY=${next}`;
