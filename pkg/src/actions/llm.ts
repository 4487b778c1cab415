/** Language models as steps: OpenAI, what is compatible with it, and Anthropic. */
import type { Step } from "../steps/step.js";
import type {
  AnthropicMessage,
  ChatCompletion,
  CreateAnthropicMessage,
  CreateChatCompletion,
} from "../workflows/api.js";
import type { PayloadSchema } from "../workflows/schema.js";
import type { CallSettings } from "../workflows/steps.js";
import { action, type Dynamic, type Dynamics, resolved } from "./action.js";
import { type LlmProvider, PROVIDERS } from "./llm-providers.js";
import { fitting, type RequestOptions, requested } from "./request.js";
import { setting } from "./secrets.js";

/** What both providers are asked with. All but `provider` and `response` may be functions of the step's input. */
interface LlmOptions<TInput, TObject> extends RequestOptions<TInput> {
  /** One message of the user, instead of `messages`. */
  prompt?: Dynamic<TInput, string | undefined>;
  /** What the model is to know before the messages. */
  system?: Dynamic<TInput, string | undefined>;
  /** What the text has to be once it is parsed as JSON: a Standard Schema (zod, valibot, arktype), or `parse`. */
  response?: PayloadSchema<TObject> | undefined;
}

/** OpenAI's chat completions, by the names of its API. */
export type OpenAIActionConfig<TInput = unknown, TObject = undefined> = LlmOptions<TInput, TObject> &
  Dynamics<TInput, Omit<CreateChatCompletion, "messages" | "stream">> & {
    /** Default: `openai`. */
    provider?: "openai";
    messages?: Dynamic<TInput, CreateChatCompletion["messages"] | undefined>;
    /** Default: `OPENAI_API_KEY`. */
    token?: Dynamic<TInput, string | undefined>;
    /** Of a compatible server, such as `https://api.groq.com/openai/v1`. Default: `https://api.openai.com`. */
    baseURL?: Dynamic<TInput, string | undefined>;
    organization?: Dynamic<TInput, string | undefined>;
  };

/** Anthropic's messages, by the names of its API. */
export type AnthropicActionConfig<TInput = unknown, TObject = undefined> = LlmOptions<TInput, TObject> &
  Dynamics<TInput, Omit<CreateAnthropicMessage, "messages" | "system" | "stream">> & {
    provider: "anthropic";
    messages?: Dynamic<TInput, CreateAnthropicMessage["messages"] | undefined>;
    /** Default: `ANTHROPIC_API_KEY`. */
    token?: Dynamic<TInput, string | undefined>;
    /** Default: `https://api.anthropic.com`. */
    baseURL?: Dynamic<TInput, string | undefined>;
  };

/** What a model has answered. */
export interface LlmActionResult<TObject = undefined, TResponse = ChatCompletion | AnthropicMessage> {
  text: string;
  /** The text as the option `response` has it. */
  object: TObject;
  model: string;
  /** The provider's word for why the text ends. */
  finishReason: string;
  usage: { inputTokens: number | undefined; outputTokens: number | undefined };
  /** All of the answer. */
  response: TResponse;
}

/**
 * A question to a language model as a step. In a run the broker asks, for up to hours, while nothing of the workflow is
 * running.
 *
 * ```ts
 * const summarize = llmAction("summarize", {
 *   model: "gpt-4o-mini",
 *   system: "Summarize in one sentence.",
 *   prompt: (article: Article) => article.text,
 *   retries: 3,
 * });
 * const { text } = await summarize.run(context, article);
 * ```
 *
 * Rejects with a `WorkflowCallError` (code `CallFailed`, with `status` and `body`) if it is refused, or if its text does
 * not fit `response`.
 */
export function llmAction<TInput = unknown, TObject = undefined>(
  name: string,
  config: AnthropicActionConfig<TInput, TObject>,
): Step<TInput, LlmActionResult<TObject, AnthropicMessage>>;
export function llmAction<TInput = unknown, TObject = undefined>(
  name: string,
  config: OpenAIActionConfig<TInput, TObject>,
): Step<TInput, LlmActionResult<TObject, ChatCompletion>>;
export function llmAction<TInput, TObject>(
  name: string,
  config: AnthropicActionConfig<TInput, TObject> | OpenAIActionConfig<TInput, TObject>,
): Step<TInput, LlmActionResult<TObject>> {
  const { provider: owner = "openai", response: schema, ...dynamic } = config;
  const provider: LlmProvider = PROVIDERS[owner];
  return action(name, async (input: TInput, runner) => {
    const options = resolved<Resolved>(dynamic as Dynamics<never, Resolved>, input);
    const { token: given, baseURL = provider.baseURL, organization, prompt, system, messages = [], ...rest } = options;
    const { retries, retryDelay, timeout, flowControl, ...fields } = rest;
    const token = setting(name, "token", given, provider.variable, runner);
    const request = {
      ...resolved<Partial<CallSettings>>({ retries, retryDelay, timeout, flowControl } as never, input),
      url: addressOf(baseURL, provider.route),
      method: "POST",
      headers: provider.headers(token, organization),
      body: {
        ...fields,
        ...provider.conversation(
          prompt === undefined ? messages : [...messages, { role: "user", content: prompt }],
          system,
        ),
      },
    } as const;
    return requested(runner, name, request, async ({ body }) => {
      const answer = provider.read(body);
      const object = schema ? await fitting(parsed(answer.text), schema) : undefined;
      return { ...answer, object: object as TObject };
    });
  });
}

type Resolved = Omit<CallSettings, "url" | "method" | "body" | "headers" | "expect"> & {
  token?: string;
  baseURL?: string;
  organization?: string;
  prompt?: string;
  system?: string;
  messages?: unknown[];
};

/** `route` is `/chat/completions` and its like. A base that ends with it is the address, and one without `/v1` gets it. */
function addressOf(baseURL: string, route: string): string {
  const base = baseURL.replace(/\/+$/, "");
  if (base.endsWith(route)) return base;
  return base.endsWith("/v1") ? base + route : `${base}/v1${route}`;
}

/** The value of a text that is JSON, also if it stands in a block of Markdown; the text itself otherwise. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(/^\s*```(?:json)?\s*([\s\S]*?)\s*```\s*$/.exec(text)?.[1] ?? text);
  } catch {
    return text;
  }
}
