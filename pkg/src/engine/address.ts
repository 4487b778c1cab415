/** Where an engine's workflows and triggers are served. */
import { OrchestrationError } from "../errors.js";
import type { EngineSettings } from "./settings.js";

/** The segment below which triggers are; no provider has this name. */
export const TRIGGERS = "triggers";

/** Which of an engine's endpoints a request is for. */
export type Destination =
  | { kind: "workflow"; workflowId: string; provider: string | undefined }
  | { kind: "trigger"; name: string };

/** The addresses of an engine: `<url>/<workflow>`, `<url>/<provider>/<workflow>` and `<url>/triggers/<trigger>`. */
export class Address {
  readonly #url: string;
  readonly #settings: EngineSettings;

  /** @throws {OrchestrationError} `InvalidConfiguration` */
  constructor(url: string | undefined, settings: EngineSettings) {
    this.#url = checked(url ?? DEFAULT_PATH).replace(/\/+$/, "");
    this.#settings = settings;
  }

  /**
   * The address below which everything is.
   *
   * @throws {OrchestrationError} `InvalidConfiguration` if nobody has said what it is
   */
  get base(): string {
    return this.isAbsolute ? this.#url : this.#origin() + this.#url;
  }

  /** Whether code says what it is. */
  get isAbsolute(): boolean {
    return !this.#url.startsWith("/") && this.#url !== "";
  }

  /** The endpoint of a workflow; `provider` unless it is that of the default. */
  workflow(workflowId: string, provider: string | undefined): string {
    return [this.base, provider, workflowId].filter((part) => part !== undefined).join("/");
  }

  trigger(name: string): string {
    return `${this.base}/${TRIGGERS}/${name}`;
  }

  /** Whether a URL is one of this engine's. */
  owns(url: string): boolean {
    return isBelow(this.base, url);
  }

  /** The URL that a request was sent to, as its sender has written it: a proxy may have changed it since. */
  sentTo(request: Request): string {
    if (this.isAbsolute) return new URL(this.#url).origin + pathOf(request.url);
    const tunnel = this.#settings.get(TUNNEL);
    return tunnel ? tunnel.replace(/\/+$/, "") + pathOf(request.url) : request.url;
  }

  /**
   * What a request is for; `undefined` for what can't be an endpoint. The end of the path decides, for frameworks and proxies
   * change its beginning.
   */
  destination(requestUrl: string, providers: readonly string[]): Destination | undefined {
    const segments = pathOf(requestUrl).split(/[?#]/, 1).join("").split("/").map(decoded);
    const [last, before] = segments.reverse();
    if (!last) return undefined;
    if (before === TRIGGERS) return { kind: "trigger", name: last };
    return {
      kind: "workflow",
      workflowId: last,
      provider: before && this.#isBeyondBase(segments.length) && providers.includes(before) ? before : undefined,
    };
  }

  /** A provider may be called as the last part of the engine's own path. */
  #isBeyondBase(segments: number): boolean {
    const own = (this.isAbsolute ? new URL(this.#url).pathname : this.#url).replace(/\/+$/, "");
    return segments > own.split("/").length + 1;
  }

  #origin(): string {
    const tunnel = this.#settings.get(TUNNEL);
    if (tunnel) return tunnel.replace(/\/+$/, "");
    const isPreview = (this.#settings.get("VERCEL_ENV") ?? "production") !== "production";
    const production = isPreview ? undefined : this.#settings.get("VERCEL_PROJECT_PRODUCTION_URL");
    const deployment = production ?? this.#settings.get("VERCEL_URL");
    if (deployment) return `https://${deployment}`;
    if (this.#settings.isDevelopment) return `http://localhost:${this.#settings.get("PORT") ?? DEVELOPMENT_PORT}`;
    throw new OrchestrationError(
      `the engine does not know its public address: set ${TUNNEL}, such as https://app.example.com, or give the option ` +
        `'url' the whole address, such as https://app.example.com${this.#url}; with NODE_ENV=development it is on this machine`,
      "InvalidConfiguration",
    );
  }
}

/** The id of a workflow by the URL of its endpoint. */
export const workflowIdIn = (url: string): string =>
  decoded(pathOf(url).split(/[?#]/, 1).join("").replace(/\/+$/, "").split("/").at(-1) ?? "");

/** Whether a URL is one below an address, however the two are written. */
export const isBelow = (base: string, url: string): boolean =>
  canonical(url).startsWith(`${canonical(base).replace(/\/+$/, "")}/`);

const canonical = (url: string): string => (URL.canParse(url) ? new URL(url).href : url);

const DEFAULT_PATH = "/api/workflows";
const TUNNEL = "UPSTASH_WORKFLOW_URL";
/** What Next.js and most others listen at. */
const DEVELOPMENT_PORT = 3000;

function checked(url: string): string {
  const isFit = url.startsWith("/") ? !url.startsWith("//") && !/[?#]/.test(url) : isBase(url);
  if (isFit) return url;
  throw new OrchestrationError(
    `the option 'url' has to be a path, such as ${DEFAULT_PATH}, or an http(s) address without a query, got '${url}'`,
    "InvalidConfiguration",
  );
}

function isBase(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, search, hash, username } = new URL(url);
  return /^https?:$/.test(protocol) && !search && !hash && !username;
}

/** What follows scheme and authority. */
const pathOf = (url: string): string => url.replace(/^[a-z]+:\/\/[^/?#]*/i, "");

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
