import { Client } from "@repo/orchestration/workflows";
import type { Article } from "./workflow";

export const startSummary = (url: string, article: Article) =>
  new Client().trigger({ url, body: article, label: "sample-ai" });
