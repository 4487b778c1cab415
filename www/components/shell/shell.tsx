"use client";

/** What is around every page: the rail with the pages, the connection, the session. */
import { Menu as MenuIcon } from "lucide-react";
import dynamic from "next/dynamic";
import { usePathname } from "next/navigation";
import { NuqsAdapter } from "nuqs/adapters/next/app";
import { type ReactNode, Suspense, useEffect, useState } from "react";
import { SWRConfig } from "swr";
import { Login } from "@/components/shell/login";
import { Rail } from "@/components/shell/rail";
import { useShortcuts } from "@/components/shell/shortcuts";
import { Button, IconButton } from "@/components/ui/button";
import { Failure } from "@/components/ui/notice";
import { Toasts } from "@/components/ui/toast";
import { useConnection, useLiveData } from "@/lib/live";
import { type Session, useSession } from "@/lib/session";
import { followSystem } from "@/lib/theme";

const JumpDialog = dynamic(() => import("@/components/shell/jump").then((it) => it.JumpDialog));
const KeysDialog = dynamic(() => import("@/components/shell/keys-dialog").then((it) => it.KeysDialog));

/** The stream tells what changed; nothing has to be guessed from focus. */
const SWR = {
  revalidateOnFocus: false,
  revalidateOnReconnect: true,
  errorRetryInterval: 3_000,
};

export function Shell({ children }: { children: ReactNode }) {
  useEffect(followSystem, []);
  return (
    <NuqsAdapter>
      <SWRConfig value={SWR}>
        <Toasts>
          <Gate>{children}</Gate>
        </Toasts>
      </SWRConfig>
    </NuqsAdapter>
  );
}

function Gate({ children }: { children: ReactNode }) {
  const session = useSession();
  if (session.isSignedIn === false) return <Login session={session} />;
  return (
    <Frame session={session}>
      {session.isSignedIn ? (
        <Suspense>{children}</Suspense>
      ) : (
        session.error && (
          <div className="pt-5">
            <Failure error={session.error} retry={session.retry} what="The dashboard" />
          </div>
        )
      )}
    </Frame>
  );
}

function Frame({ session, children }: { session: Session; children: ReactNode }) {
  const path = usePathname();
  const [isMenuOpen, setMenuOpen] = useState(false);
  const [dialog, setDialog] = useState<"jump" | "keys">();
  const closeDialog = () => setDialog(undefined);
  useShortcuts(setDialog);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page closes the menu
  useEffect(() => setMenuOpen(false), [path]);
  return (
    <div className="flex h-dvh max-md:flex-col">
      <a
        href="#main"
        className="sr-only z-50 bg-ink px-3 py-2 text-invert focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to the page
      </a>
      <div className="flex items-center justify-between border-b border-line px-4 py-1 md:hidden">
        <span className="font-semibold tracking-tight">orchestration</span>
        <IconButton
          icon={MenuIcon}
          label={isMenuOpen ? "Close the menu" : "Open the menu"}
          aria-expanded={isMenuOpen}
          aria-controls="rail"
          onClick={() => setMenuOpen(!isMenuOpen)}
        />
      </div>
      <Rail isOpen={isMenuOpen} session={session} onJump={() => setDialog("jump")} onKeys={() => setDialog("keys")} />
      <main id="main" tabIndex={-1} className="flex min-h-0 min-w-0 flex-1 flex-col overflow-y-auto outline-none">
        {session.isSignedIn && <Live />}
        {children}
      </main>
      {session.isSignedIn && dialog === "jump" && <JumpDialog onClose={closeDialog} />}
      {session.isSignedIn && dialog === "keys" && <KeysDialog onClose={closeDialog} />}
    </div>
  );
}

/** Keeps the data live, and says when it is not. */
function Live() {
  useLiveData();
  const connection = useConnection();
  if (connection !== "lost") return null;
  return (
    <p
      role="status"
      className="flex items-center justify-between gap-4 bg-warn-wash px-5 py-1.5 text-sm text-ink max-sm:px-4"
    >
      <span>The broker does not answer. What is shown may be old; it is tried again.</span>
      <Button kind="quiet" className="h-6!" onClick={() => location.reload()}>
        Reload
      </Button>
    </p>
  );
}
