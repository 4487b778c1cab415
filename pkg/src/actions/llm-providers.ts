/** How each provider of language models is asked, and what it answers. */
import type { AnthropicMessage, ChatCompletion } from "../workflows/api.js";
import type { LlmActionResult } from "./llm.js";

/** A provider. */
export interface LlmProvider {
  readonly baseURL: string;
  readonly route: string;
  /** The variable of the environment that holds the token. */
  readonly variable: string;
  headers(token: string, organization: string | undefined): Record<string, string>;
  /** The fields of the body that hold the conversation. */
  conversation(messages: unknown[], system: string | undefined): object;
  /** @throws {Error} for what is no answer with a text */
  read(body: unknown): Omit<LlmActionResult, "object">;
}

/** The headers are those of `src/client/provider.rs`, which `context.api` and messages to a provider have. */
export const PROVIDERS: Readonly<Record<"openai" | "anthropic", LlmProvider>> = {
  openai: {
    baseURL: "https://api.openai.com",
    route: "/chat/completions",
    variable: "OPENAI_API_KEY",
    headers: (token, organization) => ({
      Authorization: `Bearer ${token}`,
      "Content-Type": "application/json",
      ...(organization === undefined ? {} : { "OpenAI-Organization": organization }),
    }),
    conversation: (messages, system) => ({
      messages: system === undefined ? messages : [{ role: "system", content: system }, ...messages],
    }),
    read(body) {
      const response = body as ChatCompletion & { usage?: { prompt_tokens?: number; completion_tokens?: number } };
      const choice = response?.choices?.[0];
      if (!choice?.message) throw new Error("expected { choices: [{ message }] }");
      return {
        text: choice.message.content ?? "",
        model: response.model,
        finishReason: choice.finish_reason,
        usage: { inputTokens: response.usage?.prompt_tokens, outputTokens: response.usage?.completion_tokens },
        response,
      };
    },
  },
  anthropic: {
    baseURL: "https://api.anthropic.com",
    route: "/messages",
    variable: "ANTHROPIC_API_KEY",
    headers: (token) => ({
      "x-api-key": token,
      "anthropic-version": "2023-06-01",
      "Content-Type": "application/json",
    }),
    conversation: (messages, system) => ({ messages, ...(system === undefined ? {} : { system }) }),
    read(body) {
      const response = body as AnthropicMessage & { usage?: { input_tokens?: number; output_tokens?: number } };
      if (!Array.isArray(response?.content)) throw new Error("expected { content: […] }");
      const texts = response.content.filter(({ type }) => type === "text").map(({ text }) => text);
      return {
        text: texts.join(""),
        model: response.model,
        finishReason: response.stop_reason,
        usage: { inputTokens: response.usage?.input_tokens, outputTokens: response.usage?.output_tokens },
        response,
      };
    },
  },
};
