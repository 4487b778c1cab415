"use client";

import { Failure } from "@/components/ui/notice";
import { PageHeader } from "@/components/ui/page";

export default function ErrorPage({ error, reset }: { error: Error; reset: () => void }) {
  return (
    <>
      <PageHeader title="This page failed" />
      <Failure error={error} retry={reset} what="The page" />
    </>
  );
}
