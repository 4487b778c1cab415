/** The provider `upstash-workflow`: QStash, hosted or your own. */
import type { ClientConfig } from "../../config.js";
import { ConfigurationError } from "../../errors.js";
import { Client } from "../../qstash.js";
import { Receiver } from "../../receiver.js";
import { Client as Runs } from "../../workflows/client.js";
import type { UpstashWorkflowConfig } from "../api.js";
import { present } from "../present.js";
import type { ProviderEndpoint } from "../provider.js";
import type { EngineSettings } from "../settings.js";
import { BrokerProvider, type Connection } from "./broker.js";

export class UpstashWorkflowProvider extends BrokerProvider {
  readonly type = "upstash-workflow";
  readonly #config: UpstashWorkflowConfig;
  readonly #settings: EngineSettings;
  #connection: Connection | undefined;
  #receiver: Receiver | undefined;

  constructor(name: string, config: UpstashWorkflowConfig, settings: EngineSettings) {
    super(name);
    this.#config = config;
    this.#settings = settings;
  }

  /** Nothing is asked of the broker yet: settings that are missing are told. */
  async initialize(): Promise<void> {
    this.connection();
  }

  endpoint(): ProviderEndpoint {
    const { currentSigningKey, nextSigningKey } = this.#config;
    // One without keys refuses everything.
    this.#receiver ??= new Receiver({ currentSigningKey, nextSigningKey, env: this.#settings.own });
    const client = () => this.client;
    return {
      receiver: this.#receiver,
      // Whoever only checks signatures needs no token.
      get qstashClient() {
        return client();
      },
    };
  }

  protected connection(): Connection {
    if (!this.#connection) {
      const missing = this.#missing();
      if (missing.length > 0) throw lacking(this.name, missing);
      const { baseUrl, qstashToken: token } = this.#config;
      const config = present({ baseUrl, token, env: this.#settings.own }) as ClientConfig;
      const probe = new Runs({ ...config, retry: false });
      this.#connection = { runs: new Runs(config), client: new Client(config), probe };
    }
    return this.#connection;
  }

  /** The names of settings without which nothing works. Keys are told beside, though only an endpoint needs them. */
  #missing(): string[] {
    const { qstashToken, currentSigningKey, nextSigningKey } = this.#config;
    if (qstashToken || hasToken(this.#settings) || this.#settings.isDevelopmentMode) return [];
    const keys = { QSTASH_CURRENT_SIGNING_KEY: currentSigningKey, QSTASH_NEXT_SIGNING_KEY: nextSigningKey };
    return [TOKEN, ...Object.entries(keys).flatMap(([name, key]) => (key || this.#settings.get(name) ? [] : [name]))];
  }
}

/** Whether there is a token in an environment. */
export function hasToken(settings: EngineSettings): boolean {
  const region = settings.get("QSTASH_REGION")?.replaceAll("-", "_").toUpperCase();
  return Boolean(settings.get(TOKEN) ?? (region && settings.get(`${region}_${TOKEN}`)));
}

const TOKEN = "QSTASH_TOKEN";

function lacking(provider: string, names: string[]): ConfigurationError {
  return new ConfigurationError(
    `the provider '${provider}' lacks ${names.join(", ")}: set what is missing, in the environment or in the provider's ` +
      "config; or NODE_ENV=development or QSTASH_DEV=true for a broker on this machine",
    { problems: names.map((name) => ({ name, kind: "missing", message: `${name} is not set` })) },
  );
}
