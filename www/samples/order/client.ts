import { Client } from "@repo/orchestration/workflows";
import type { Order } from "./workflow";

export const startOrder = (url: string, order: Order) =>
  new Client().trigger({ url, body: order, label: "sample-order" });
