import type { WorkflowContext } from "@repo/orchestration/workflows";
import { enter } from "../services";

export interface Article {
  text: string;
  /** How long the model thinks about a request, in milliseconds. */
  latency: number;
  /** So often a request is refused with 429 before it is taken. */
  refusals: number;
}

export async function ai(context: WorkflowContext<Article>) {
  const { text, latency, refusals } = context.requestPayload;

  // The broker makes the request: while the model thinks, nothing of this is running.
  const summarise = async (name: string, content: string) => {
    const { body } = await context.api.openai.call(name, {
      baseURL: new URL("/api/samples/model", context.url).href, // without it, OpenAI
      token: process.env.SAMPLES_KEY ?? "",
      operation: "chat.completions.create",
      body: {
        model: "stand-in",
        messages: [
          { role: "system", content: "Summarise in one sentence." },
          { role: "user", content },
        ],
        metadata: { request: `${context.workflowRunId}/${name}`, latency: `${latency}`, refusals: `${refusals}` },
      },
      retries: 5,
      retryDelay: "1000",
      flowControl: { key: "sample-model", parallelism: 2 },
      expect: "2xx",
    });
    return body.choices[0]?.message.content ?? "";
  };

  const paragraphs = text.split(/\n\s*\n/).filter((paragraph) => paragraph.trim() !== "");
  const summaries = await Promise.all(
    paragraphs.map((paragraph, index) => summarise(`paragraph ${index + 1}`, paragraph)),
  );
  const summary = await summarise("whole", summaries.join(" "));
  await context.run("store", () => enter(context, { kind: "summary", text: summary }));
  return { summary, paragraphs: summaries };
}
