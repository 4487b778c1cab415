"use client";

import { Send } from "lucide-react";
import { Button, ButtonLink } from "@/components/ui/button";
import { Empty } from "@/components/ui/notice";

export function NoMessage({ isNarrowed, onPublish }: { isNarrowed: boolean; onPublish: () => void }) {
  if (isNarrowed) {
    return (
      <Empty title="No message fits the filter." action={<ButtonLink href="/messages">Clear the filter</ButtonLink>}>
        The log is kept for a while only; what is older is gone.
      </Empty>
    );
  }
  return (
    <Empty
      title="No message yet."
      action={
        <Button icon={Send} onClick={onPublish}>
          Publish a message
        </Button>
      }
    >
      A message is an HTTP request that the broker delivers, and retries until it succeeds.
    </Empty>
  );
}
