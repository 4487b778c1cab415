"use client";

/** Whether this browser may see the broker. */
import { useCallback, useEffect } from "react";
import useSWR, { useSWRConfig } from "swr";
import { ask, BrokerError, IS_STATIC, onSignedOut, storedToken, storeToken } from "@/lib/broker/transport";

export interface Session {
  /** `undefined` while that is found out. */
  isSignedIn: boolean | undefined;
  /** Whether there is anything to sign out of. */
  isRequired: boolean;
  /** Why it can't be found out: the broker does not answer. */
  error: BrokerError | undefined;
  retry: () => void;
  /** @throws {BrokerError} if the token is not the right one */
  signIn: (token: string) => Promise<void>;
  signOut: () => Promise<void>;
}

interface State {
  required: boolean;
  signedIn: boolean;
}

const SESSION = "session";

export function useSession(): Session {
  const { data, error, mutate } = useSWR<State, BrokerError>(SESSION, read, {
    revalidateOnFocus: false,
    shouldRetryOnError: true,
    errorRetryInterval: 2000,
  });
  const { mutate: mutateAny } = useSWRConfig();
  const leave = useCallback(async () => {
    if (IS_STATIC) storeToken(null);
    await mutate({ required: true, signedIn: false }, { revalidate: false });
    // Whoever signs in next sees nothing of what was read before.
    await mutateAny((key) => key !== SESSION, undefined, { revalidate: false });
  }, [mutate, mutateAny]);
  useEffect(() => onSignedOut(() => void leave()), [leave]);
  return {
    isSignedIn: data?.signedIn,
    isRequired: data?.required ?? true,
    error: data ? undefined : error,
    retry: useCallback(() => void mutate(), [mutate]),
    signIn: useCallback(
      async (token: string) => {
        await (IS_STATIC ? signInHere(token) : signInThere(token));
        await mutate({ required: true, signedIn: true }, { revalidate: false });
      },
      [mutate],
    ),
    signOut: useCallback(async () => {
      if (!IS_STATIC) await session("DELETE");
      await leave();
    }, [leave]),
  };
}

async function read(): Promise<State> {
  const token = takeTokenFromAddress();
  if (token !== null) await (IS_STATIC ? signInHere(token) : signInThere(token)).catch(() => {});
  if (!IS_STATIC) return (await session("GET")) as State;
  return { required: true, signedIn: storedToken() !== null };
}

/** `#token=…`, as a development broker and the demo print it; it doesn't stay in the address. */
function takeTokenFromAddress(): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token !== null) history.replaceState(history.state, "", location.pathname + location.search);
  return token;
}

async function signInHere(token: string): Promise<void> {
  storeToken(token);
  try {
    await ask("/v2/globalParallelism");
  } catch (error) {
    storeToken(null);
    if (error instanceof BrokerError && error.status === 401) {
      throw new BrokerError("The broker does not know this token.", 401);
    }
    throw error;
  }
}

async function signInThere(token: string): Promise<void> {
  await session("POST", { token });
}

/** This app's own route. */
async function session(method: "GET" | "POST" | "DELETE", body?: object): Promise<unknown> {
  let answer: Response;
  try {
    answer = await fetch("/api/session", {
      method,
      cache: "no-store",
      ...(body ? { headers: { "content-type": "application/json" }, body: JSON.stringify(body) } : {}),
    });
  } catch {
    throw new BrokerError("the dashboard's server does not answer", 0, "BrokerUnreachable");
  }
  const value = answer.status === 204 ? undefined : await answer.json().catch(() => undefined);
  if (answer.ok) return value;
  throw new BrokerError((value as { error?: string })?.error ?? `the answer was ${answer.status}`, answer.status);
}
