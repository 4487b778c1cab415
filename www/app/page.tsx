import { PageHeader } from "@/components/ui/page";

export default function Page() {
  return <PageHeader title="Overview" />;
}
