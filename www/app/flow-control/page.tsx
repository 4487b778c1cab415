import type { Metadata } from "next";
import { FlowControl } from "@/components/flow-control/flow-control";

export const metadata: Metadata = { title: "Flow control" };

export default function Page() {
  return <FlowControl />;
}
