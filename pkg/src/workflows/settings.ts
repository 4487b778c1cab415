/** From options and environment to the endpoint of the core. */
import type { ClientConfig, Retry } from "../config.js";
import { brokerSettings, SETTINGS } from "../connection.js";
import { core, type Endpoint, type EndpointSettings } from "../core/core.js";
import { type Environment, settingsIn } from "../environment.js";
import { WorkflowError } from "../errors.js";
import { KEYS } from "../receiver.js";
import { type Authenticate, authentication } from "./authenticity.js";
import type { AdapterOptions, WorkflowServeOptions } from "./options.js";

/** What serves the requests of one workflow under one environment. */
export interface Served {
  endpoint: Endpoint;
  env: Environment;
  retry: Retry;
  /** Asks the option `receiver` itself, where the core can't. */
  authenticate: Authenticate | undefined;
  /** What the platform handed over with the request. */
  platform?: unknown;
}

type Options = WorkflowServeOptions<unknown>;

/** Makes the endpoint. Settings that can't work are told in the answers, not thrown, unless no type allows them. */
export async function served(options: Options, env: Environment, adapter: AdapterOptions): Promise<Served> {
  const { Endpoint } = await core();
  if ((options as { middlewares?: unknown[] }).middlewares?.length) {
    throw new WorkflowError("this version has no middlewares; remove the option", "Unsupported", false);
  }
  const { retry, ...client } = clientSettings(options.qstashClient, env);
  const settings: EndpointSettings = {
    ...client,
    signing: signing(options, env),
    url: options.url,
    workflowBaseUrl: options.baseUrl ?? env.UPSTASH_WORKFLOW_URL,
    clockTolerance: options.clockTolerance,
    checkSubject: options.checkSubject,
    useJsonContent: adapter.useJSONContent,
    hasFailureFunction: options.failureFunction !== undefined,
  };
  const authenticate = authentication(options.receiver, options.clockTolerance);
  return { endpoint: new Endpoint(JSON.stringify(settings)), env, retry, authenticate };
}

function clientSettings(client: Options["qstashClient"], env: Environment) {
  return client && SETTINGS in client ? client[SETTINGS](env) : brokerSettings((client ?? {}) as ClientConfig, env);
}

/** Signatures are checked if there are keys; with a receiver, there have to be some. */
function signing(options: Options, env: Environment): EndpointSettings["signing"] {
  if (!("receiver" in options)) return { environment: settingsIn(env) };
  const { receiver } = options;
  if (!receiver || !(KEYS in receiver)) return undefined;
  return { ...receiver[KEYS](env), required: true };
}
