/** The broker on Node, as code starts it. */

/** How a broker is started. Everything has a default that suits development. */
export interface BrokerOptions {
  /** The port; 0 for any that is free. Default: `QSTASH_DEV_PORT`, or 8080. */
  port?: number | undefined;
  /** The address to listen at. Default: `127.0.0.1`, which only this machine can reach. */
  host?: string | undefined;
  /**
   * The database: a file, made with its folder if absent, or `:memory:` for one that ends with the broker. One broker at a
   * time uses a file. Default: `.orchestration/broker.db` in the current folder.
   */
  db?: string | undefined;
  /** The bearer token that every request needs. Default: the one of QStash's development server, which everybody knows. */
  token?: string | undefined;
  /** A token that may read everything but the signing keys, and change nothing. Default: there is none. */
  readOnlyToken?: string | undefined;
  /** The key that deliveries are signed with. Default: the one of QStash's development server. */
  currentSigningKey?: string | undefined;
  /** The key that comes after it. Default: the one of QStash's development server. */
  nextSigningKey?: string | undefined;
  /**
   * What becomes of destinations that are not on the public internet: private, local and reserved addresses, and names that lead
   * to them. Default: `BROKER_PRIVATE_DESTINATIONS`, or `allow` if {@link host} is this machine alone, else `refuse`.
   */
  privateDestinations?: "allow" | "refuse" | undefined;
  /** Sizes, counts and durations. */
  limits?: BrokerLimits | undefined;
  /** Where the API destinations `api/llm` and `api/email` go. Default: `BROKER_LLM_URL` and `BROKER_EMAIL_URL`. */
  apis?: BrokerApis | undefined;
  /** How many deliveries are under way at once. Default: 100. */
  connections?: number | undefined;
  /** How many connections of clients are open at once; what is more is closed unanswered. Default: 2,000. */
  clientConnections?: number | undefined;
  /**
   * Whether the dashboard is served at `/`, if the package has it. It is files for everybody; what it shows needs the token.
   * Default: `false`; `npx @repo/orchestration dev` serves it.
   */
  dashboard?: boolean | undefined;
  /**
   * The broker's clock: milliseconds since the Unix epoch. Default: `Date.now`. A test that turns it forward calls
   * {@link RunningBroker.wake} then. Timeouts of deliveries always pass on the machine's own clock.
   */
  now?: (() => number) | undefined;
  /** Hears of what fails in the background, such as a full disk. Default: `console.error`. */
  onError?: ((error: Error) => void) | undefined;
  /**
   * Hears of settings that are dangerous: `PublicIdentity` if {@link host} lets others in who know the token or a signing key,
   * because they are those of QStash's development server. Default: `console.warn`.
   */
  onWarning?: ((warning: Error & { code: string }) => void) | undefined;
}

/** A broker that listens. */
export interface RunningBroker {
  /** Where it listens: `http://127.0.0.1:8080`. The `baseUrl` of clients. */
  readonly url: string;
  /** The port of {@link url}. */
  readonly port: number;
  /** The bearer token. */
  readonly token: string;
  /** The key that deliveries are signed with. */
  readonly currentSigningKey: string;
  /** The key that comes after it. */
  readonly nextSigningKey: string;
  /** The absolute path of the database, or `:memory:`. */
  readonly db: string;
  /** Where the dashboard is, if it is served. */
  readonly dashboard: string | undefined;
  /** `QSTASH_URL`, `QSTASH_TOKEN` and the signing keys, as an application's environment has them. */
  readonly environment: Readonly<Record<string, string>>;
  /** Looks for what is due now, whatever the timer says: for tests that have turned the clock. */
  wake(): void;
  /** Resolves when nothing is due or under way any more; what is delayed, or waits to be tried again, is not due. */
  idle(): Promise<void>;
  /**
   * Stops: takes no more connections, gives deliveries under way `grace` milliseconds to end (default 2,000), and closes the
   * database. What was not delivered by then is delivered after the next start.
   */
  stop(grace?: number): Promise<void>;
  /** Lets the process end although the broker runs. */
  unref(): void;
}

/** Addresses of APIs: what stands before their path. */
export interface BrokerApis {
  /** What stands before `/v1/chat/completions`. Default: none, and `api/llm` is refused. */
  llm?: string | undefined;
  /** What stands before `/emails`. Default: `https://api.resend.com`. */
  email?: string | undefined;
}

/** Sizes, counts and durations of a broker. A duration is a number of seconds, or a text such as `"10m"`. */
export interface BrokerLimits {
  /** Bytes of a request's body, and of each message in a batch. Default: 1 MiB. */
  bodyBytes?: number | undefined;
  /** Bytes of one header value. Default: 16 KiB. */
  headerValueBytes?: number | undefined;
  /** Bytes of all header names and values of one message. Default: 64 KiB. */
  headerBytes?: number | undefined;
  /** Messages in a batch. Default: 500. */
  batchMessages?: number | undefined;
  /** Entries in a run's history. Default: 10,000. */
  historyEntries?: number | undefined;
  /** Events that are kept for a run until it waits for them. Default: 100. */
  keptEvents?: number | undefined;
  /** Queues. Default: 10,000. */
  queues?: number | undefined;
  /** Schedules. Default: 10,000. */
  schedules?: number | undefined;
  /** URL groups. Default: 10,000. */
  urlGroups?: number | undefined;
  /** Endpoints of a URL group. Default: 100. */
  urlGroupEndpoints?: number | undefined;
  /** The longest delay. Default: 366 days. */
  delay?: number | string | undefined;
  /** The longest time that a destination may take to answer. Default: 12 hours. */
  timeout?: number | string | undefined;
  /** The most retries. Default: 1000. */
  retries?: number | undefined;
  /** Retries of a message that does not say how many. Default: 3. */
  defaultRetries?: number | undefined;
  /** How long a destination may take to answer a message that does not say so. Default: 15 minutes. */
  defaultTimeout?: number | string | undefined;
  /** How long an id for deduplication counts. Default: 10 minutes. */
  deduplicationWindow?: number | string | undefined;
  /** How long an event that nobody waits for yet is kept for its run. Default: 7 days. */
  eventLifetime?: number | string | undefined;
  /** How long a delivery that the former process had under way may still submit its step. Default: 5 seconds. */
  restartGrace?: number | string | undefined;
  /** Bytes of a destination's answer that are kept. Default: 1 MiB. */
  responseBytes?: number | undefined;
  /** How long ended runs, events and dead letters are kept. Default: 7 days. The next three are for one of them each. */
  retention?: number | string | undefined;
  /** How long events are kept for the logs. Default: {@link retention}. */
  eventRetention?: number | string | undefined;
  /** How long a run is kept after its end. Default: {@link retention}. */
  runRetention?: number | string | undefined;
  /** How long dead letters are kept. Default: {@link retention}. */
  deadLetterRetention?: number | string | undefined;
  /** Events that are kept for the logs; the oldest are forgotten first. Default: 100,000. */
  loggedEvents?: number | undefined;
  /** Ended runs that are kept. Default: 10,000. */
  endedRuns?: number | undefined;
  /** Dead letters that are kept. Default: 10,000. */
  deadLetters?: number | undefined;
}
