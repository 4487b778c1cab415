/** The provider `embedded`: a broker in this process, or the one of development mode, which the processes of a project share. */
import type { ClientConfig } from "../../config.js";
import { developmentBroker } from "../../development.js";
import { settingsIn } from "../../environment.js";
import { OrchestrationError } from "../../errors.js";
import { Client } from "../../qstash.js";
import { Receiver } from "../../receiver.js";
import { Client as Runs } from "../../workflows/client.js";
import type { EmbeddedConfig } from "../api.js";
import { present } from "../present.js";
import type { ProviderEndpoint } from "../provider.js";
import type { EngineSettings } from "../settings.js";
import { BrokerProvider, type Connection } from "./broker.js";
import { holdBroker } from "./held.js";

interface Ready extends Connection {
  receiver: Receiver;
  /** Gives the broker up. That of development mode is not this engine's. */
  release: () => Promise<void>;
}

export class EmbeddedProvider extends BrokerProvider {
  readonly type = "embedded";
  readonly #config: EmbeddedConfig | undefined;
  readonly #settings: EngineSettings;
  #ready: Ready | undefined;

  constructor(name: string, config: EmbeddedConfig = {}, settings: EngineSettings) {
    super(name);
    this.#config = Object.values(config).some((setting) => setting !== undefined) ? config : undefined;
    this.#settings = settings;
  }

  async initialize(): Promise<void> {
    if (this.#config) this.#ready ??= await own(this.#config);
    else await developmentBroker({ devMode: true, environment: environmentOf(this.#settings) });
  }

  endpoint(): ProviderEndpoint {
    const { client, receiver } = this.connection();
    return { qstashClient: client, receiver };
  }

  async shutdown(): Promise<void> {
    const ready = this.#ready;
    this.#ready = undefined;
    await ready?.release();
  }

  protected connection(): Ready {
    // The keys of development mode are known, and its clients start the broker themselves.
    if (!this.#config) this.#ready ??= shared(this.#settings);
    if (this.#ready) return this.#ready;
    throw new OrchestrationError(
      `the broker of the provider '${this.name}' does not run: await engine.initialize() before`,
      "InvalidConfiguration",
    );
  }
}

function shared(settings: EngineSettings): Ready {
  const config = { devMode: true, env: environmentOf(settings) };
  return { ...clients(config), receiver: new Receiver(config), release: async () => {} };
}

const environmentOf = (settings: EngineSettings): Record<string, string> => ({
  ...settingsIn(settings.environment),
  ...present({ NODE_ENV: settings.mode }),
});

async function own(config: EmbeddedConfig): Promise<Ready> {
  const { broker, release } = await holdBroker(config);
  const { url: baseUrl, token, currentSigningKey, nextSigningKey } = broker;
  // Nothing in the environment is meant for this broker.
  const env = {};
  const receiver = new Receiver({ currentSigningKey, nextSigningKey, env });
  return { ...clients({ baseUrl, token, env }), receiver, release };
}

const clients = (config: ClientConfig): Connection => ({
  runs: new Runs(config),
  client: new Client(config),
  probe: new Runs({ ...config, retry: false }),
});
