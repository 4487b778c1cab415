/** The services that the samples ask: a ledger, a stock and a store of files, all of this app and kept in its memory. */
import { WorkflowNonRetryableError } from "@repo/orchestration/workflows";

/** What a service has to know of a run; the context of a workflow has it. */
export interface Run {
  url: string;
  workflowRunId: string;
}

export interface Line {
  /** One of a run: what is sent again under it is the same line. */
  kind: string;
  text: string;
  amount?: number;
  /** So often the ledger is out of order when it is asked for this line. */
  failures?: number;
}

export interface Entry extends Line {
  id: number;
  at: number;
  workflowRunId: string;
}

export interface Reservation {
  item: string;
  quantity: number;
  price: number;
}

/** Writes a line into the ledger. Delivery is at least once, so the ledger is told what makes the line one and the same. */
export const enter = (run: Run, line: Line): Promise<Entry> =>
  ask(run, "ledger", { ...line, key: `${run.workflowRunId}/${line.kind}` });

export const linesSince = (run: Run, from: number): Promise<Entry[]> => ask(run, `ledger?from=${from}`);

/** @throws {WorkflowNonRetryableError} if the stock does not hold so many: another try would not help */
export const reserve = (run: Run, item: string, quantity: number): Promise<Reservation> =>
  ask(run, "stock", { item, quantity, key: `${run.workflowRunId}/${item}` });

/** Puts what a run has reserved back. */
export const release = (run: Run, { item }: Reservation): Promise<void> =>
  ask(run, "stock", { item, quantity: 0, key: `${run.workflowRunId}/${item}` });

/** Keeps a file of the run. */
export const save = (
  run: Run,
  name: string,
  content: Uint8Array<ArrayBuffer> | string,
): Promise<{ name: string; bytes: number }> =>
  ask(run, `files?run=${run.workflowRunId}&name=${encodeURIComponent(name)}`, content);

async function ask<T>({ url, workflowRunId }: Run, path: string, body?: object | string): Promise<T> {
  const isJson = typeof body === "object" && !(body instanceof Uint8Array);
  const answer = await fetch(new URL(`/api/samples/${path}`, url), {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${process.env.SAMPLES_KEY}` },
    signal: AbortSignal.timeout(10_000),
    ...(body === undefined ? {} : { body: isJson ? JSON.stringify({ ...body, workflowRunId }) : (body as BodyInit) }),
  });
  if (answer.ok) return (await answer.json()) as T;
  const { error = answer.statusText } = (await answer.json().catch(() => ({}))) as { error?: string };
  if (answer.status === 409) throw new WorkflowNonRetryableError(error);
  throw new Error(`${path.split("?")[0]} answered ${answer.status}: ${error}`);
}
