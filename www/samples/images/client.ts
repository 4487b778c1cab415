import { Client } from "@repo/orchestration/workflows";
import type { Batch } from "./workflow";

/** All deliveries under one key share the limit, whichever run they belong to. */
export const startBatch = (url: string, batch: Batch, parallelism: number) =>
  new Client().trigger({
    url,
    body: batch,
    label: "sample-images",
    flowControl: { key: "sample-images", parallelism },
  });
