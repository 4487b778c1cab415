/** APIs that a message can be sent to: the core knows address and headers of each. */
import { QstashError } from "../errors.js";

/** Who runs a language model. */
export type LLMOwner = "upstash" | "openai" | "anthropic" | "custom";

/** An API, and the token that it wants. */
interface Provider<TKind, TOwner> {
  readonly apiKind: TKind;
  readonly owner: TOwner;
  readonly method: "POST";
  readonly baseUrl: string;
  readonly token: string;
}

/** The API of a language model. */
export interface LLMProvider<TOwner extends LLMOwner = LLMOwner> extends Provider<"llm", TOwner> {
  readonly organization?: string;
}

/** The API of a mail service. */
export interface EmailProvider extends Provider<"email", "resend"> {
  /** Whether the body is an array of mails. */
  readonly batch: boolean;
}

/** Sends a message to a language model. The answer comes to the message's `callback`. */
export interface PublishLLMApi {
  name: "llm";
  provider?: LLMProvider;
  /** Goes through Helicone, which keeps statistics. */
  analytics?: { name: "helicone"; token: string };
}

/** Sends a message to a mail service. */
export interface PublishEmailApi {
  name: "email";
  provider: EmailProvider;
}

/** OpenAI's chat completions. */
export const openai = ({ token, organization }: { token: string; organization?: string }): LLMProvider<"openai"> => ({
  ...llm("openai", "https://api.openai.com", token),
  ...(organization === undefined ? {} : { organization }),
});

/** Anthropic's messages. */
export const anthropic = ({ token }: { token: string }): LLMProvider<"anthropic"> =>
  llm("anthropic", "https://api.anthropic.com", token);

/** Chat completions of another provider that speaks OpenAI's API below `baseUrl`. */
export const custom = ({ baseUrl, token }: { baseUrl: string; token: string }): LLMProvider<"custom"> =>
  llm("custom", baseUrl.replace(/\/(v1\/)?chat\/completions$/, ""), token);

/** @deprecated QStash no longer runs language models itself: a message to this provider is refused. */
export const upstash = (): LLMProvider<"upstash"> => llm("upstash", "https://qstash.upstash.io/llm", "");

/** Resend's mails. */
export const resend = ({ token, batch = false }: { token: string; batch?: boolean }): EmailProvider => ({
  apiKind: "email",
  owner: "resend",
  method: "POST",
  baseUrl: "https://api.resend.com",
  token,
  batch,
});

const llm = <TOwner extends LLMOwner>(owner: TOwner, baseUrl: string, token: string): LLMProvider<TOwner> => ({
  apiKind: "llm",
  owner,
  method: "POST",
  baseUrl,
  token,
});

/** Address and headers of a model's API behind Helicone, for clients of other packages. */
export function setupAnalytics(
  analytics: { name: "helicone"; token: string } | undefined,
  providerApiKey: string,
  providerBaseUrl?: string,
  provider?: LLMOwner,
): { baseURL?: string; defaultHeaders?: Record<string, string | undefined> } {
  if (!analytics) return {};
  if (analytics.name !== "helicone") throw new QstashError("the name of analytics is 'helicone'", "InvalidRequest");
  const defaultHeaders = { "Helicone-Auth": `Bearer ${analytics.token}`, Authorization: `Bearer ${providerApiKey}` };
  if (provider === "upstash") return { baseURL: "https://qstash.helicone.ai/llm/v1/chat/completions", defaultHeaders };
  return {
    baseURL: "https://gateway.helicone.ai/v1/chat/completions",
    defaultHeaders: { ...defaultHeaders, "Helicone-Target-Url": providerBaseUrl },
  };
}
