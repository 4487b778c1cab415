import type { Metadata } from "next";
import { UrlGroups } from "@/components/url-groups/url-groups";

export const metadata: Metadata = { title: "URL groups" };

export default function Page() {
  return <UrlGroups />;
}
