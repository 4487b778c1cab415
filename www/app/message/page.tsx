import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/page";

export const metadata: Metadata = { title: "Message" };

export default function Page() {
  return <PageHeader title="Message" />;
}
