import type { Metadata } from "next";
import { MessagePage } from "@/components/messages/message";

export const metadata: Metadata = { title: "Message" };

export default function Page() {
  return <MessagePage />;
}
