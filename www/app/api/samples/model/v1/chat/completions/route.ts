/** Stands in for a language model, in the form of OpenAI's chat completions. It picks sentences: the same for the same text. */
import { answering, InputError, objectIn, refusedService } from "@/lib/server/samples/access";
import { store } from "@/lib/server/samples/store";
import { summaryOf, tokensIn } from "@/lib/server/samples/summary";

export const dynamic = "force-dynamic";

const MAX_LATENCY_MS = 10_000;

/** `metadata` is OpenAI's own field, of texts; here `latency` (ms) and `refusals` say how this model behaves. */
export const POST = answering(async (request) => {
  const refused = refusedService(request);
  if (refused) return refused;
  const { model, messages, metadata = {} } = await objectIn(request);
  const content = Array.isArray(messages) ? messages.findLast(({ role }) => role === "user")?.content : undefined;
  if (typeof content !== "string") throw new InputError("expected messages, one of them a user's with a text");
  const { request: key = "", latency = 0, refusals = 0 } = metadata as Record<string, string>;
  if (Number(refusals) > 0 && store().triesOf(`model ${key}`) < Number(refusals)) return tooMany();
  await new Promise((done) => setTimeout(done, Math.min(Number(latency) || 0, MAX_LATENCY_MS)));
  const summary = summaryOf(content);
  const [prompt, completion] = [tokensIn(content), tokensIn(summary)];
  return Response.json({
    id: `chatcmpl-${crypto.randomUUID()}`,
    object: "chat.completion",
    created: Math.floor(Date.now() / 1000),
    model,
    choices: [
      {
        index: 0,
        finish_reason: "stop",
        logprobs: null,
        message: { role: "assistant", content: summary, refusal: null },
      },
    ],
    usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
  });
});

const tooMany = (): Response =>
  Response.json(
    { error: { message: "Rate limit reached", type: "requests", code: "rate_limit_exceeded" } },
    { status: 429, headers: { "retry-after": "1" } },
  );
