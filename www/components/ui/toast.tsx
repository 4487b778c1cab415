"use client";

/** What was done, and what failed, in a corner: read aloud, and gone after a while. */
import { Toast } from "@base-ui/react/toast";
import { X } from "lucide-react";
import type { ReactNode } from "react";

const manager = Toast.createToastManager();

/** From anywhere, also outside of components. */
export const toast = {
  done: (title: string, description?: string) => manager.add({ title, description, type: "done" }),
  failed: (title: string, error: unknown) =>
    manager.add({ title, description: (error as Error).message, type: "failed", priority: "high", timeout: 10_000 }),
};

export function Toasts({ children }: { children: ReactNode }) {
  return (
    <Toast.Provider toastManager={manager} timeout={4_000}>
      {children}
      <Toast.Portal>
        <Toast.Viewport className="fixed right-4 bottom-4 z-60 flex w-[min(24rem,calc(100vw-2rem))] flex-col gap-2">
          <List />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}

function List() {
  return Toast.useToastManager().toasts.map((toast) => (
    <Toast.Root
      key={toast.id}
      toast={toast}
      className={`border border-edge border-l-4 bg-surface px-3 py-2 text-sm ${toast.type === "failed" ? "border-l-bad" : "border-l-ok"}`}
    >
      <Toast.Content className="flex items-start gap-2">
        <div className="min-w-0 flex-1">
          <Toast.Title className="font-medium" />
          <Toast.Description className="break-words text-soft" />
        </div>
        <Toast.Close aria-label="Dismiss" className="p-1 text-faint hover:text-ink">
          <X size={14} aria-hidden />
        </Toast.Close>
      </Toast.Content>
    </Toast.Root>
  ));
}
