import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/page";

export const metadata: Metadata = { title: "Run" };

export default function Page() {
  return <PageHeader title="Run" />;
}
