/**
 * Finds what only Node has: the broker's process side, in files of its own that no bundler is shown. Nothing here is
 * imported from Node, so that any runtime can load this.
 */
import { isErrorCode, OrchestrationError } from "../errors.js";
import type { BrokerOptions, RunningBroker } from "./options.js";

/** What `dist/node/broker.cjs` exports. */
interface NodeHost {
  startBroker(options: BrokerOptions): Promise<RunningBroker>;
}

interface NodeProcess {
  versions?: { node?: string };
  argv?: string[];
  cwd?: () => string;
  getBuiltinModule?: (name: string) => { createRequire(from: string): Require };
}

type Require = ((path: string) => unknown) & { resolve(path: string): string };

/** The oldest Node whose SQLite needs no flag. */
export const NODE_MINIMUM: readonly [major: number, minor: number] = [22, 13];

const MANIFEST = "@repo/orchestration/package.json";

/**
 * Starts a broker in this process, on Node 22.13 or newer.
 *
 * ```ts
 * const broker = await startBroker({ port: 0, db: ":memory:" });
 * const client = new Client({ baseUrl: broker.url, token: broker.token });
 * …
 * await broker.stop();
 * ```
 *
 * @throws {OrchestrationError} `PortTaken`, `DatabaseInUse`, `Unsupported` where there is no Node that fits, and
 * `InvalidConfiguration` for an option that can't be used or a database of a newer version.
 */
export async function startBroker(options: BrokerOptions = {}): Promise<RunningBroker> {
  const host = loadHost();
  try {
    return await host.startBroker(options);
  } catch (error) {
    throw adopted(error);
  }
}

/** Whether this is a Node that the broker runs on. */
export function canHost(): boolean {
  return unfit() === undefined;
}

function loadHost(): NodeHost {
  const reason = unfit();
  if (reason)
    throw new OrchestrationError(`the broker needs Node ${NODE_MINIMUM.join(".")} or newer: ${reason}`, "Unsupported");
  const { getBuiltinModule, cwd, argv } = nodeProcess() as Required<NodeProcess>;
  const { createRequire } = getBuiltinModule("module");
  for (const from of [thisFile(), `${cwd()}/package.json`, argv[1]]) {
    try {
      if (!from) continue;
      const require = createRequire(from);
      const manifest = require.resolve(MANIFEST);
      return require(manifest.replace(/package\.json$/, "dist/node/broker.cjs")) as NodeHost;
    } catch (error) {
      // Not to be found from here; anything else is a reason.
      if (!["MODULE_NOT_FOUND", "ERR_INVALID_ARG_VALUE"].includes((error as { code: string }).code)) throw error;
    }
  }
  throw new OrchestrationError(
    "the files of the broker are not there: it runs from the installed package @repo/orchestration, not from a bundle",
    "Unsupported",
  );
}

/**
 * Where this code was loaded from. Not `import.meta.url`: bundlers write the path of the machine that they run on in its place,
 * into what browsers load too.
 */
function thisFile(): string | undefined {
  return /\(?((?:file:\/\/|\/|[A-Za-z]:\\).*):\d+:\d+\)?$/m.exec(new Error().stack ?? "")?.[1];
}

function unfit(): string | undefined {
  const { versions, getBuiltinModule } = nodeProcess();
  if (!versions?.node) return "this runtime is another one; start it beside, with npx @repo/orchestration dev";
  const [major = 0, minor = 0] = versions.node.split(".").map(Number);
  const old = major < NODE_MINIMUM[0] || (major === NODE_MINIMUM[0] && minor < NODE_MINIMUM[1]);
  return old || !getBuiltinModule ? `this is Node ${versions.node}` : undefined;
}

function nodeProcess(): NodeProcess {
  return (globalThis as { process?: NodeProcess }).process ?? {};
}

/** The host is another bundle: its errors are not of this one's class. */
function adopted(error: unknown): unknown {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (!(error instanceof Error) || !isErrorCode(code)) return error;
  return new OrchestrationError(String(message), code, undefined, undefined, error);
}
