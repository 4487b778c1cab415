import type { Metadata } from "next";
import { DeadLetters } from "@/components/dlq/dlq";

export const metadata: Metadata = { title: "Dead letters" };

export default function Page() {
  return <DeadLetters />;
}
