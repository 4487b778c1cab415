import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/page";

export const metadata: Metadata = { title: "Signing keys" };

export default function Page() {
  return <PageHeader title="Signing keys" />;
}
