/** The chat API that QStash has given up. Its names stay, so that code that imports them loads and says what to do. */
import { QstashError } from "../errors.js";
import type { LLMProvider } from "./providers.js";

/** @deprecated */
export interface ChatCompletionMessage {
  role: "system" | "assistant" | "user";
  content: string;
}

/** @deprecated */
export interface ChatCompletion {
  id: string;
  choices: { finish_reason: "stop" | "length"; index: number; message: ChatCompletionMessage }[];
  created: number;
  model: string;
  object: "chat.completion";
}

/** @deprecated */
export interface ChatCompletionChunk {
  id: string;
  choices: { finish_reason: "stop" | "length"; index: number; delta: ChatCompletionMessage }[];
  created: number;
  model: string;
  object: "chat.completion.chunk";
}

/** @deprecated */
export type StreamEnabled = { stream: true };
/** @deprecated */
export type StreamDisabled = { stream: false } | object;
/** @deprecated */
export type StreamParameter = StreamEnabled | StreamDisabled;
/** @deprecated */
export type OpenAIChatModel = string;
/** @deprecated */
export type ChatRequest<TStream extends StreamParameter> = TStream & {
  provider: LLMProvider;
  model: string;
  messages: ChatCompletionMessage[];
};
/** @deprecated */
export type PromptChatRequest<TStream extends StreamParameter> = TStream & {
  provider: LLMProvider;
  model: string;
  system: string;
  user: string;
};

/** @deprecated Every call is refused. */
export class Chat {
  /** @deprecated */
  create<TStream extends StreamParameter>(_request: ChatRequest<TStream>): Promise<never> {
    return Promise.reject(withdrawn());
  }

  /** @deprecated */
  prompt<TStream extends StreamParameter>(_request: PromptChatRequest<TStream>): Promise<never> {
    return Promise.reject(withdrawn());
  }
}

const withdrawn = () =>
  new QstashError(
    "chat() is not offered: QStash no longer runs language models. Use the SDK of your provider, or publishJSON with " +
      "api: { name: 'llm', provider } and a callback",
    "Unsupported",
  );
