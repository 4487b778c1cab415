import type { Metadata } from "next";
import { Keys } from "@/components/keys/keys";

export const metadata: Metadata = { title: "Signing keys" };

export default function Page() {
  return <Keys />;
}
