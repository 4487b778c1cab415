import type { Metadata } from "next";
import { RunPage } from "@/components/runs/run";

export const metadata: Metadata = { title: "Run" };

export default function Page() {
  return <RunPage />;
}
