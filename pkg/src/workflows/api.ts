/** Calls of third parties whose addresses and headers are known. */
import type { CallResponse, CallSettings, ProviderCallSettings } from "./steps.js";

/** The settings of a call, with a body that is written as JSON unless it is text. */
export type ApiCallSettings<TBody = unknown, TFields extends object = object> = Omit<CallSettings, "url" | "body"> & {
  body: TBody;
} & TFields;

/** Asks for the step. */
type Call = (stepName: string, settings: ProviderCallSettings) => Promise<unknown>;

/** `context.api`. */
export class WorkflowApi {
  readonly openai: OpenAIAPI;
  readonly anthropic: AnthropicAPI;
  readonly resend: ResendAPI;

  /** @internal */
  constructor(call: Call) {
    this.openai = new OpenAIAPI(call);
    this.anthropic = new AnthropicAPI(call);
    this.resend = new ResendAPI(call);
  }
}

class ProviderApi {
  readonly #call: Call;

  /** @internal */
  constructor(call: Call) {
    this.#call = call;
  }

  /** @internal */
  protected ask<TResult>(
    stepName: string,
    provider: ProviderCallSettings["provider"],
    { body, ...settings }: ApiCallSettings,
  ): Promise<CallResponse<TResult>> {
    // Whatever it is: `call` writes as JSON what is neither text nor bytes.
    const call = { ...settings, body: body as string, provider };
    return this.#call(stepName, call) as Promise<CallResponse<TResult>>;
  }
}

export class OpenAIAPI extends ProviderApi {
  /** Calls OpenAI's chat completions, or those of a compatible server at `baseURL`. */
  call<TResult = ChatCompletion, TBody = CreateChatCompletion>(
    stepName: string,
    settings: ApiCallSettings<
      TBody,
      { token: string; organization?: string; baseURL?: string; operation: "chat.completions.create" }
    >,
  ): Promise<CallResponse<TResult>> {
    const { token, organization, baseURL, operation: _, ...rest } = settings;
    const openai = { owner: "openai", token, organization } as const;
    return this.ask(stepName, baseURL === undefined ? openai : { owner: "custom", token, baseUrl: baseURL }, rest);
  }
}

export class AnthropicAPI extends ProviderApi {
  /** Calls Anthropic's messages. */
  call<TResult = AnthropicMessage, TBody = CreateAnthropicMessage>(
    stepName: string,
    settings: ApiCallSettings<TBody, { token: string; operation: "messages.create" }>,
  ): Promise<CallResponse<TResult>> {
    const { token, operation: _, ...rest } = settings;
    return this.ask(stepName, { owner: "anthropic", token }, rest);
  }
}

export class ResendAPI extends ProviderApi {
  /** Sends an email, or several with `batch`. */
  call<
    TBatch extends boolean = false,
    TResult = TBatch extends true ? { data: { id: string }[] } : { id: string },
    TBody = TBatch extends true ? SendEmail[] : SendEmail,
  >(
    stepName: string,
    settings: ApiCallSettings<TBody, { token: string; batch?: TBatch }>,
  ): Promise<CallResponse<TResult>> {
    const { token, batch, ...rest } = settings;
    return this.ask(stepName, { owner: "resend", token, batch: batch === true }, rest);
  }
}

/** The request of OpenAI's chat completions, in the parts that the SDK names. */
export type CreateChatCompletion = {
  messages: ChatMessage[];
  model: string;
  store?: boolean;
  reasoning_effort?: string;
  metadata?: unknown;
  frequency_penalty?: number;
  logit_bias?: Record<string, number>;
  logprobs?: boolean;
  top_logprobs?: number;
  max_completion_tokens?: number;
  n?: number;
  modalities?: string[];
  prediction?: unknown;
  audio?: unknown;
  presence_penalty?: number;
  response_format?: unknown;
  seed?: number;
  service_tier?: string;
  stop?: string | string[];
  /** The answer is remembered as a whole, so it can't be streamed. */
  stream?: false;
  temperature?: number;
  top_p?: number;
  tools?: unknown;
  tool_choice?: string;
  parallel_tool_calls?: boolean;
  user?: string;
};

type ChatMessage =
  | { content: string; role: "developer" | "system"; name?: string }
  | { content: unknown; role: "user"; name?: string }
  | { content: unknown; refusal?: string; role: "assistant"; name?: string; audio?: unknown; tool_calls?: unknown }
  | { role: "tool"; content: string | unknown; tool_call_id: string }
  | { role: "function"; content: string | undefined; name: string };

/** Its answer. */
export type ChatCompletion = {
  id: string;
  choices: {
    finish_reason: "stop" | "length" | "tool_calls" | "content_filter" | "function_call";
    index: number;
    logprobs: unknown;
    message: {
      content: string | null;
      refusal: string | null;
      role: "assistant";
      audio?: unknown;
      tool_calls?: unknown;
    };
  }[];
  created: number;
  model: string;
  object: "chat.completion";
  service_tier?: "scale" | "default" | null;
  system_fingerprint?: string;
  usage?: unknown;
};

/** The request of Anthropic's messages. */
export type CreateAnthropicMessage = {
  model: string;
  messages: { role: "user" | "assistant"; content: unknown }[];
  max_tokens: number;
  metadata?: object;
  stop_sequences?: string[];
  /** The answer is remembered as a whole, so it can't be streamed. */
  stream?: false;
  system?: string;
  temperature?: number;
  top_k?: number;
  top_p?: number;
};

/** Its answer. */
export type AnthropicMessage = {
  id: string;
  type: "message";
  role: "assistant";
  content: { type: "text"; text: string }[];
  model: string;
  stop_reason: string;
  stop_sequence: string[];
  usage: unknown;
};

/** An email for Resend. */
export type SendEmail = {
  from: string;
  to: string;
  subject: string;
  bcc?: string | string[];
  cc?: string | string[];
  scheduled_at?: string;
  reply_to?: string | string[];
  html?: string;
  text?: string;
  headers?: unknown;
  attachments?: unknown;
  tags?: { name: string; value: string }[];
};
