import type { Metadata } from "next";
import { Logs } from "@/components/logs/logs";

export const metadata: Metadata = { title: "Logs" };

export default function Page() {
  return <Logs />;
}
