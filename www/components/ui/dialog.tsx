"use client";

import { Dialog as Base } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import { type ReactNode, useRef, useState } from "react";
import { Button, IconButton } from "@/components/ui/button";

export interface DialogProps {
  isOpen: boolean;
  onClose: () => void;
  title: ReactNode;
  children: ReactNode;
  /** At the foot, the one that goes ahead last. */
  actions?: ReactNode;
  isWide?: boolean;
}

const FIELD = ":is(input, textarea, select):not(:disabled, [readonly])";

export function Dialog({ isOpen, onClose, title, children, actions, isWide }: DialogProps) {
  const body = useRef<HTMLDivElement>(null);
  return (
    <Base.Root open={isOpen} onOpenChange={(open) => !open && onClose()}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-40 bg-[#0008]" />
        <Base.Popup
          // To the first field, if there is one; a finger opens no keyboard by that.
          initialFocus={(type) => (type === "touch" ? true : (body.current?.querySelector<HTMLElement>(FIELD) ?? true))}
          className={`fixed top-1/2 left-1/2 z-50 flex max-h-[calc(100dvh-2rem)] w-[calc(100vw-2rem)] -translate-x-1/2 -translate-y-1/2 flex-col rounded-md border border-edge bg-surface ${isWide ? "max-w-3xl" : "max-w-lg"}`}
        >
          <div className="flex items-center justify-between gap-4 border-b border-line py-2 pr-2 pl-4">
            <Base.Title className="font-semibold">{title}</Base.Title>
            <IconButton icon={X} label="Close" onClick={onClose} />
          </div>
          <div ref={body} className="min-h-0 flex-1 overflow-y-auto p-4 text-sm">
            {children}
          </div>
          {actions && <div className="flex flex-wrap justify-end gap-2 border-t border-line px-4 py-3">{actions}</div>}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

/** Asks before something is done that can't be undone; stays open, and says why, if it fails. */
export function ConfirmDialog({
  isOpen,
  onClose,
  title,
  children,
  action,
  isDangerous = true,
  onConfirm,
}: Omit<DialogProps, "actions" | "isWide"> & {
  /** What the button says: a verb. */
  action: string;
  isDangerous?: boolean;
  onConfirm: () => Promise<unknown>;
}) {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const close = () => {
    setError(undefined);
    onClose();
  };
  const confirm = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await onConfirm();
      close();
    } catch (reason) {
      setError((reason as Error).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      isOpen={isOpen}
      onClose={close}
      title={title}
      actions={
        <>
          <Button onClick={close}>Keep</Button>
          <Button kind={isDangerous ? "danger" : "primary"} isBusy={isBusy} onClick={() => void confirm()}>
            {action}
          </Button>
        </>
      }
    >
      {children}
      {error && (
        <p role="alert" className="mt-3 text-bad">
          {error}
        </p>
      )}
    </Dialog>
  );
}
