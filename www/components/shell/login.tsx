"use client";

import { type FormEvent, useState } from "react";
import { Mark } from "@/components/shell/rail";
import { Button } from "@/components/ui/button";
import { TextField } from "@/components/ui/field";
import { IS_STATIC } from "@/lib/broker/transport";
import type { Session } from "@/lib/session";

export function Login({ session }: { session: Session }) {
  const [token, setToken] = useState("");
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (token.trim() === "") return setError("Enter the token first.");
    setBusy(true);
    setError(undefined);
    try {
      await session.signIn(token.trim());
    } catch (reason) {
      setError((reason as Error).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <main className="flex min-h-dvh items-start justify-center px-4 pt-[18vh]">
      <form onSubmit={(event) => void submit(event)} className="flex w-full max-w-sm flex-col gap-4">
        <h1 className="flex items-center gap-3 text-xl font-semibold tracking-tight">
          <Mark /> Sign in
        </h1>
        <TextField
          label="Token"
          type="password"
          name="token"
          autoComplete="current-password"
          autoFocus
          value={token}
          error={error}
          hint={
            IS_STATIC
              ? "QSTASH_TOKEN of this broker, or its read-only token. It is kept until this tab is closed."
              : "DASHBOARD_TOKEN of this app, or the broker’s QSTASH_TOKEN if there is none."
          }
          onChange={(event) => setToken(event.target.value)}
        />
        <Button kind="primary" type="submit" isBusy={isBusy}>
          Sign in
        </Button>
      </form>
    </main>
  );
}
