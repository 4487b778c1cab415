/** From options and environment to the endpoint of the core. */
import type { ClientConfig, Retry } from "../config.js";
import { brokerSettings, SETTINGS } from "../connection.js";
import { core, type Endpoint, type EndpointSettings } from "../core/core.js";
import type { Environment } from "../environment.js";
import { WorkflowError } from "../errors.js";
import { KEYS, type SigningKeys } from "../receiver.js";
import type { WorkflowServeOptions } from "./options.js";

/** What serves the requests of one workflow under one environment. */
export interface Served {
  endpoint: Endpoint;
  env: Environment;
  retry: Retry;
}

type Options = WorkflowServeOptions<unknown>;

/** Makes the endpoint. Settings that can't work are told in the answers, not thrown, unless no type allows them. */
export async function served(options: Options, env: Environment): Promise<Served> {
  const { Endpoint } = await core();
  if ((options as { middlewares?: unknown[] }).middlewares?.length) {
    throw new WorkflowError("this version has no middlewares; remove the option", "Unsupported", false);
  }
  const { retry, ...client } = clientSettings(options.qstashClient, env);
  const settings: EndpointSettings = {
    ...client,
    ...signingKeys(options, env),
    url: options.url,
    workflowBaseUrl: options.baseUrl ?? env.UPSTASH_WORKFLOW_URL,
    clockTolerance: options.clockTolerance,
    checkSubject: options.checkSubject,
    hasFailureFunction: options.failureFunction !== undefined,
  };
  return { endpoint: new Endpoint(JSON.stringify(settings)), env, retry };
}

function clientSettings(client: Options["qstashClient"], env: Environment) {
  return client && SETTINGS in client ? client[SETTINGS](env) : brokerSettings((client ?? {}) as ClientConfig, env);
}

function signingKeys(options: Options, env: Environment): Partial<SigningKeys> {
  if (!("receiver" in options)) {
    return { currentSigningKey: env.QSTASH_CURRENT_SIGNING_KEY, nextSigningKey: env.QSTASH_NEXT_SIGNING_KEY };
  }
  if (!options.receiver) return {};
  if (KEYS in options.receiver) {
    const { currentSigningKey = "", nextSigningKey } = options.receiver[KEYS](env);
    return { currentSigningKey, nextSigningKey };
  }
  throw new WorkflowError(
    "the option receiver must be a Receiver of this package, or undefined",
    "InvalidConfiguration",
    false,
  );
}
