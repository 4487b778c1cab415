/** From options and environment to the endpoint of the core. */
import type { ClientConfig, Retry } from "../config.js";
import { type BrokerSettings, brokerSettings, SETTINGS } from "../connection.js";
import { core, type Endpoint, type EndpointSettings } from "../core/core.js";
import { type Environment, settingsIn } from "../environment.js";
import { WorkflowError } from "../errors.js";
import { Client } from "../qstash.js";
import { KEYS } from "../receiver.js";
import { type Authenticate, authentication } from "./authenticity.js";
import type { WorkflowMiddleware } from "./middleware.js";
import { loggingMiddleware } from "./observer.js";
import type { AdapterOptions, OfficialClient, WorkflowClient, WorkflowServeOptions } from "./options.js";

/** What serves the requests of one workflow under one environment. */
export interface Served {
  endpoint: Endpoint;
  env: Environment;
  /** For the context. */
  qstashClient: WorkflowClient;
  retry: Retry;
  /** Asks the option `receiver` itself, where the core can't. */
  authenticate: Authenticate | undefined;
  /** What the platform handed over with the request. */
  platform?: unknown;
}

type Options = WorkflowServeOptions<unknown>;

/** Makes the endpoint. Settings that can't work are told in the answers, not thrown, unless no type allows them. */
export async function served(
  options: Options,
  env: Environment,
  adapter: AdapterOptions,
  region: string | undefined,
): Promise<Served> {
  const { Endpoint } = await core();
  const { retry, ...client } = clientSettings(options.qstashClient, env, region);
  const settings: EndpointSettings = {
    ...client,
    signing: signing(options, env),
    url: options.url,
    workflowBaseUrl: options.baseUrl ?? env.UPSTASH_WORKFLOW_URL,
    clockTolerance: options.clockTolerance,
    checkSubject: options.checkSubject,
    useJsonContent: adapter.useJSONContent,
    hasFailureFunction: options.failureFunction !== undefined,
    authorized: options.authorize !== undefined,
    observed: middlewaresOf(options).length > 0,
    failureUrl: options.failureUrl,
    retries: options.retries,
    retryDelay: options.retryDelay,
    flowControl: options.flowControl,
  };
  const qstashClient = clientOf(options.qstashClient, env);
  const authenticate = authentication(options.receiver, options.clockTolerance);
  return { endpoint: new Endpoint(JSON.stringify(settings)), env, qstashClient, retry, authenticate };
}

/** Those that were given, and the log. */
export const middlewaresOf = ({ middlewares = [], verbose }: Options): WorkflowMiddleware[] =>
  verbose ? [...middlewares, loggingMiddleware] : middlewares;

/** The region that a delivery names, if there are settings for it: steps go back to where it came from. */
export function regionOf(headers: Headers, env: Environment): string | undefined {
  const region = env.QSTASH_REGION ? headers.get("upstash-region")?.replaceAll("-", "_").toUpperCase() : undefined;
  return region && env[`${region}_QSTASH_URL`] ? region : undefined;
}

function clientSettings(client: Options["qstashClient"], env: Environment, region: string | undefined): BrokerSettings {
  if (client && SETTINGS in client) return client[SETTINGS](env, region);
  const config = client && "http" in client ? configOf(client) : ((client ?? {}) as ClientConfig);
  return brokerSettings(config, env, region);
}

/** What a client of the official SDK was made with. Its members are those of version 2.12. */
function configOf({ http }: OfficialClient): ClientConfig {
  const { baseUrl, authorization, headers, retry } = http as Partial<OfficialHttp>;
  if (!baseUrl || !authorization) {
    const message = "the option qstashClient must be a client of this package or of @upstash/qstash, or settings";
    throw new WorkflowError(message, "InvalidConfiguration", false);
  }
  return {
    baseUrl,
    token: authorization.replace(/^Bearer /, ""),
    ...(headers ? { headers } : {}),
    ...(retry ? { retry: { retries: retry.attempts, backoff: retry.backoff } } : {}),
  };
}

interface OfficialHttp {
  baseUrl: string;
  authorization: string;
  headers: Headers | undefined;
  retry: { attempts: number; backoff: (retryCount: number) => number } | undefined;
}

/** The client that was given, or one with the same settings. */
function clientOf(given: Options["qstashClient"], env: Environment): WorkflowClient {
  if (given && (SETTINGS in given || "http" in given)) return given as WorkflowClient;
  return new Client({ ...(given as ClientConfig), env });
}

/** Signatures are checked if there are keys; with a receiver, there have to be some. */
function signing(options: Options, env: Environment): EndpointSettings["signing"] {
  if (!("receiver" in options)) return { environment: settingsIn(env) };
  const { receiver } = options;
  if (!receiver || !(KEYS in receiver)) return undefined;
  return { ...receiver[KEYS](env), required: true };
}
