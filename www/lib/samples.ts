"use client";

/** The samples' own routes of this app. */
import useSWR from "swr";
import { BrokerError } from "@/lib/broker/transport";
import type { Reading } from "@/lib/broker/use";

/** A line of the ledger. */
export interface Line {
  id: number;
  at: number;
  workflowRunId: string;
  kind: string;
  text: string;
  amount?: number;
}

export interface SampleFile {
  name: string;
  workflowRunId: string;
  type: string;
  bytes: number;
}

/** Where the broker delivers, and what keeps it from that. */
export interface Setup {
  origin: string;
  problems: string[];
}

/** `GET /api/samples/<path>`, again whenever the broker tells of a change; `null` reads nothing. */
export function useSamples<T>(path: string | null): Reading<T> {
  const { data, error, isLoading, mutate } = useSWR<T, BrokerError>(path === null ? null : ["/v2/", path], () =>
    askSamples<T>(path ?? ""),
  );
  return { data, error, isLoading, reload: mutate };
}

/** @throws {BrokerError} */
export async function askSamples<T = void>(
  path: string,
  { method = "GET", body }: { method?: "GET" | "POST" | "DELETE"; body?: object } = {},
): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(`/api/samples/${path}`, {
      method,
      cache: "no-store",
      ...(body ? { headers: { "content-type": "application/json" }, body: JSON.stringify(body) } : {}),
    });
  } catch {
    throw new BrokerError("the app does not answer", 0, "BrokerUnreachable");
  }
  const value = answer.status === 204 ? undefined : await answer.json().catch(() => undefined);
  if (answer.ok) return value as T;
  const { error, code } = (value ?? {}) as { error?: string; code?: string };
  throw new BrokerError(error ?? `the answer was ${answer.status}`, answer.status, code);
}

export const fileAddress = ({ workflowRunId, name }: Pick<SampleFile, "workflowRunId" | "name">): string =>
  `/api/samples/files?run=${encodeURIComponent(workflowRunId)}&name=${encodeURIComponent(name)}`;
