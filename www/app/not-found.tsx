import { ButtonLink } from "@/components/ui/button";
import { Empty } from "@/components/ui/notice";
import { PageHeader } from "@/components/ui/page";

export default function NotFound() {
  return (
    <>
      <PageHeader title="There is nothing here" />
      <Empty title="No page has this address." action={<ButtonLink href="/">To the overview</ButtonLink>} />
    </>
  );
}
