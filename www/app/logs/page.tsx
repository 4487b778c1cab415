import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/page";

export const metadata: Metadata = { title: "Logs" };

export default function Page() {
  return <PageHeader title="Logs" />;
}
