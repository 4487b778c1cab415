"use client";

import { useWorkflow, useWorkflowClient } from "@repo/orchestration/client/next";
import { maskSensitiveData } from "@repo/orchestration/shared/utils/data-masking";
import { type FormEvent, useState } from "react";

import type { order } from "@/lib/engine";

/** Places an order, shows its steps live, and approves it when it waits for that. */
export function OrderForm() {
  const { start, run, output, error, isStarting } = useWorkflow<typeof order>("order");
  const client = useWorkflowClient();
  const [orderId, setOrderId] = useState("");
  const isWaiting = run?.steps.some(({ name, status }) => name === "approval" && status !== "completed");

  async function place(event: FormEvent) {
    event.preventDefault();
    await start({ orderId, quantity: 2 });
  }

  return (
    <form onSubmit={place}>
      <label>
        Order <input value={orderId} onChange={(event) => setOrderId(event.target.value)} required />
      </label>
      <button type="submit" disabled={isStarting}>
        Place order
      </button>
      <ol>
        {run?.steps.map(({ name, status }) => (
          <li key={name}>
            {name}: {status}
          </li>
        ))}
      </ol>
      {isWaiting && (
        <button type="button" onClick={() => client.notify(`order-${orderId}`, { by: "ann" })}>
          Approve
        </button>
      )}
      {output && <output>{output.receipt}</output>}
      {error && <p role="alert">{error.message}</p>}
      {/* For a report to the support. */}
      <pre>{maskSensitiveData(`${run?.status ?? "idle"}, password=${orderId}`)}</pre>
    </form>
  );
}
