"use client";

import { useRef, useState } from "react";
import { environment } from "@/components/keys/environment";
import { Button } from "@/components/ui/button";
import { Copy } from "@/components/ui/copy";
import { ConfirmDialog, Dialog } from "@/components/ui/dialog";
import { ask } from "@/lib/broker/transport";
import type { SigningKeys } from "@/lib/broker/types";

/** Asks, rotates, and says what is left to do. Mounted while it is open. */
export function RotateDialog({ onClose, onDone }: { onClose: () => void; onDone: () => unknown }) {
  const [keys, setKeys] = useState<SigningKeys>();
  const isDone = useRef(false);
  if (keys) return <Rotated keys={keys} onClose={onClose} />;
  return (
    <ConfirmDialog
      isOpen
      // Once they are rotated there is something to say.
      onClose={() => !isDone.current && onClose()}
      title="Rotate the signing keys?"
      action="Rotate"
      onConfirm={async () => {
        const rotated = await ask<SigningKeys>("/v2/keys/rotate", { method: "POST" });
        isDone.current = true;
        setKeys(rotated);
        await onDone();
      }}
    >
      <p>
        The next key becomes the current one, and a new next key is made. From then on everything is signed with the new
        current key.
      </p>
      <ul className="mt-3 list-disc space-y-1 pl-5">
        <li>Endpoints that know both keys of today go on working.</li>
        <li>
          Give them both new keys before you rotate again: two rotations in a row leave them with no key that counts.
        </li>
        <li>The former current key is gone. This can’t be undone.</li>
      </ul>
    </ConfirmDialog>
  );
}

function Rotated({ keys, onClose }: { keys: SigningKeys; onClose: () => void }) {
  const lines = environment(keys);
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title="The keys are rotated"
      actions={
        <Button kind="primary" onClick={onClose}>
          Done
        </Button>
      }
    >
      <p>Put these two lines into the .env of each endpoint, and restart it:</p>
      <div className="relative mt-2">
        <pre
          // biome-ignore lint/a11y/noNoninteractiveTabindex: who scrolls by keyboard needs it
          tabIndex={0}
          className="overflow-x-auto border border-line bg-sunken py-2 pr-10 pl-3 font-mono text-xs leading-5"
        >
          {lines}
        </pre>
        <div className="absolute top-1.5 right-1.5">
          <Copy text={lines} label="Copy both lines" />
        </div>
      </div>
      <p className="mt-2 text-soft">They can be read on this page later, too.</p>
    </Dialog>
  );
}
