#!/usr/bin/env node
/** `npx @repo/orchestration dev`. Loads nothing of the broker before the Node is known to be new enough. */
import { relative } from "node:path";

import { NODE_MINIMUM } from "../src/server/host.js";
import type { BrokerOptions, RunningBroker } from "../src/server/options.js";

const HELP = `Durable workflows on a QStash-compatible broker.

  npx @repo/orchestration dev [options]    runs a broker until it is stopped

  --port <number>       the port; 0 for any that is free (default: QSTASH_DEV_PORT, or 8080)
  --host <address>      the address to listen at (default: 127.0.0.1, which only this machine can reach)
  --db <file>           the database, kept from run to run (default: .orchestration/broker.db);
                        :memory: for one that ends with the broker
  --token <text>        the token that clients need (default: QSTASH_TOKEN, or the one of QStash's development server)
  --read-only-token <text>
                        a second token that may only read (default: QSTASH_READONLY_TOKEN, or none)
  --current-signing-key <text>, --next-signing-key <text>
                        the keys that deliveries are signed with (default: QSTASH_CURRENT_SIGNING_KEY and
                        QSTASH_NEXT_SIGNING_KEY, or those of QStash's development server)
  --private-destinations <allow|refuse>
                        whether to deliver to this machine and private networks (default: BROKER_PRIVATE_DESTINATIONS,
                        or allow, unless --host lets others in)
  --connections <number>
                        deliveries under way at once (default: 100)
  --help, --version

Other users of the machine see the arguments of its programs: secrets are better set in the environment.
`;

/** Secrets by their name in the environment, and the argument that goes before it. */
const SECRETS = {
  QSTASH_TOKEN: "token",
  QSTASH_READONLY_TOKEN: "read-only-token",
  QSTASH_CURRENT_SIGNING_KEY: "current-signing-key",
  QSTASH_NEXT_SIGNING_KEY: "next-signing-key",
} as const;
const FAILED = 1;
const MISUSED = 2;
const INTERRUPTED = 130;

main(process.argv.slice(2)).catch((error: Error & { code?: string }) => fail(explained(error)));

async function main(args: string[]): Promise<void> {
  const began = performance.now();
  requireNode();
  const { values, positionals } = parsed(args, (await import("node:util")).parseArgs);
  // Only now: an old Node has no SQLite.
  const broker = (await import("./broker.cjs" as string)) as typeof import("./broker.js");
  if (values.version) return console.log(broker.version());
  const [command, ...rest] = positionals;
  if (values.help || command === undefined) return console.log(HELP);
  if (command !== "dev" || rest.length > 0)
    fail(`there is no command '${positionals.join(" ")}'; there is dev`, MISUSED);
  const secret = (name: keyof typeof SECRETS) => values[SECRETS[name]] ?? (process.env[name] || undefined);
  const running = await broker.startBroker({
    port: number("port", values.port),
    host: values.host,
    db: values.db,
    token: secret("QSTASH_TOKEN"),
    readOnlyToken: secret("QSTASH_READONLY_TOKEN"),
    privateDestinations: values["private-destinations"] as BrokerOptions["privateDestinations"],
    currentSigningKey: secret("QSTASH_CURRENT_SIGNING_KEY"),
    nextSigningKey: secret("QSTASH_NEXT_SIGNING_KEY"),
    connections: number("connections", values.connections),
    dashboard: true,
    onWarning: (warning) => console.error(`warning: ${explained(warning)}`),
  });
  const environment = shown(running.environment, values, broker.isPublic);
  const isKnown = broker.isPublic(running.token);
  console.log(banner(running, isKnown, environment, broker.version(), Math.ceil(performance.now() - began)));
  stopOnSignals(running);
}

function requireNode(): void {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > NODE_MINIMUM[0] || (major === NODE_MINIMUM[0] && minor >= NODE_MINIMUM[1])) return;
  fail(
    `the broker needs Node ${NODE_MINIMUM.join(".")} or newer, for its SQLite; this is Node ${process.versions.node}`,
  );
}

function parsed(args: string[], parseArgs: typeof import("node:util").parseArgs) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        port: text,
        host: text,
        db: text,
        token: text,
        "read-only-token": text,
        "private-destinations": text,
        "current-signing-key": text,
        "next-signing-key": text,
        connections: text,
        help: { ...flag, short: "h" },
        version: { ...flag, short: "v" },
      },
    });
  } catch (error) {
    return fail(`${(error as Error).message}\nSee npx @repo/orchestration --help`, MISUSED);
  }
}

function number(name: string, text: string | undefined): BrokerOptions["port"] {
  if (text === undefined) return undefined;
  return /^\d+$/.test(text) ? Number(text) : fail(`--${name} must be a whole number, got '${text}'`, MISUSED);
}

/** Secrets that aren't public knowledge stay out of logs: it is said where they are from. */
function shown(
  environment: RunningBroker["environment"],
  values: ReturnType<typeof parsed>["values"],
  isPublic: (secret: string) => boolean,
): [name: string, text: string][] {
  return Object.entries(environment).map(([name, value]) => {
    const argument = SECRETS[name as keyof typeof SECRETS];
    if (!argument || isPublic(value)) return [name, value];
    if (value === values[argument]) return [name, `the one that --${argument} says`];
    if (value === process.env[name]) return [name, `the one that ${name} says`];
    return [name, "rotated: GET /v2/keys tells it"];
  });
}

function banner(
  { url, db, dashboard, token }: RunningBroker,
  isKnown: boolean,
  environment: [name: string, text: string][],
  version: string,
  milliseconds: number,
): string {
  const file = db === ":memory:" ? "in memory: it ends with the broker" : relative("", db);
  return `
  orchestration ${version}: the broker is ready, after ${milliseconds} ms

  URL        ${url}
  Dashboard  ${dashboard ? `${dashboard}${isKnown ? `#token=${encodeURIComponent(token)}` : ""}` : "not in this build"}
  Database   ${file}

  For the application's .env:

${environment.map(([name, text]) => `  ${name}="${text}"`).join("\n")}

  Ctrl-C stops it.
`;
}

function stopOnSignals(broker: RunningBroker): void {
  let stopping = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(INTERRUPTED);
      stopping = true;
      broker.stop().then(
        () => process.exit(0),
        (error: Error) => fail(error.message),
      );
    });
  }
}

/** What to do about it. */
function explained({ code, message }: Error & { code?: string }): string {
  switch (code) {
    case "PortTaken":
      return `${message}\nStop that program, or choose another port with --port; clients then need QSTASH_URL or QSTASH_DEV_PORT.`;
    case "DatabaseInUse":
      return `${message}\nStop the other broker, or choose another file with --db.`;
    case "PublicIdentity":
      return `${message} with --token, --current-signing-key and --next-signing-key, or in the environment (see --help)`;
    default:
      return message;
  }
}

function fail(message: string, status = FAILED): never {
  console.error(`error: ${message}`);
  process.exit(status);
}
