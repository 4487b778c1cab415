import type { Metadata } from "next";
import { Schedules } from "@/components/schedules/schedules";

export const metadata: Metadata = { title: "Schedules" };

export default function Page() {
  return <Schedules />;
}
