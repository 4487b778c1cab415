/** The database of a broker: SQLite as Node has it, one file for one process. */
import { closeSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";

import type { Database as Port, SqlValue } from "../wasm/broker.js";
import { HostError, messageOf } from "./errors.js";

/** Kept while the broker runs; more distinct statements than these are rare. */
const STATEMENTS = 256;
/** A folder of ours, which version control leaves out. */
const OWN_FOLDER = ".orchestration";
/** Primary result codes of SQLite, https://sqlite.org/rescode.html. */
const BUSY = 5;
const CANNOT_OPEN = 14;
const NOT_A_DATABASE = 26;

export const IN_MEMORY = ":memory:";
export const DEFAULT_FILE = join(OWN_FOLDER, "broker.db");

/** The broker's port to SQL. Statements are prepared once. */
export class Database implements Port {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #open = false;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  execute(sql: string, params: SqlValue[]): number {
    return Number(this.#prepared(sql).run(...(params as SQLInputValue[])).changes);
  }

  query(sql: string, params: SqlValue[]): SqlValue[][] {
    const rows = this.#prepared(sql).all(...(params as SQLInputValue[])) as unknown[];
    return (RETURNS_ARRAYS ? rows : rows.map((row) => Object.values(row as object))) as SqlValue[][];
  }

  begin(): void {
    // They are never nested: whoever left this one open is gone, and what it wrote is not whole.
    if (this.#open) this.rollback();
    this.#database.exec("BEGIN IMMEDIATE");
    this.#open = true;
  }

  commit(): void {
    this.#database.exec("COMMIT");
    this.#open = false;
  }

  rollback(): void {
    this.#open = false;
    this.#database.exec("ROLLBACK");
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement) return statement;
    const [oldest] = this.#statements.keys();
    if (oldest !== undefined && this.#statements.size >= STATEMENTS) this.#statements.delete(oldest);
    // Without arrays, columns of one name would be one: a subquery's get names of their own.
    const distinct = RETURNS_ARRAYS || !/^\s*SELECT\b/i.test(sql) ? sql : `SELECT * FROM (${sql})`;
    statement = this.#database.prepare(distinct);
    if (RETURNS_ARRAYS) statement.setReturnArrays(true);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** The absolute path of a database, or {@link IN_MEMORY}. */
export function pathOf(db: string): string {
  return db === IN_MEMORY ? db : resolve(db);
}

/**
 * Opens a database that no other process has open, and keeps it so. A commit returns when it is on disk.
 *
 * Throws a {@link HostError} `DatabaseInUse`, or `InvalidConfiguration` for a file that is none.
 */
export function openDatabase(path: string): Database {
  let database: DatabaseSync | undefined;
  try {
    if (path !== IN_MEMORY) makeFile(path);
    database = new sqlite.DatabaseSync(path);
    if (path !== IN_MEMORY) database.exec(ALONE_AND_DURABLE);
    return new Database(database);
  } catch (error) {
    database?.close();
    throw refused(path, error);
  }
}

/** The lock is the operating system's: it goes with the process, however that ends. */
const ALONE_AND_DURABLE = `
  PRAGMA busy_timeout = 0;
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  BEGIN IMMEDIATE;
  COMMIT;
`;

/** For its owner alone: bodies and headers hold secrets. SQLite makes the files beside it as this one is. */
function makeFile(path: string): void {
  makeFolder(dirname(path));
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch {
    // It is there, or SQLite says why it can't be.
  }
}

function makeFolder(folder: string): void {
  const made = mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (made && basename(folder) === OWN_FOLDER) writeFileSync(join(folder, ".gitignore"), "*\n");
}

function refused(path: string, error: unknown): HostError {
  const { errcode } = error as { errcode?: number };
  // The primary code is the lowest byte.
  switch (errcode === undefined ? undefined : errcode & 0xff) {
    case BUSY:
      return new HostError(
        `the database ${path} is in use by another process: one broker at a time uses a file`,
        "DatabaseInUse",
        error,
      );
    case NOT_A_DATABASE:
      return new HostError(
        `${path} is not a database of this broker: it is no SQLite file`,
        "InvalidConfiguration",
        error,
      );
    case CANNOT_OPEN:
      return new HostError(`the database ${path} can't be opened or made`, "InvalidConfiguration", error);
    default:
      return new HostError(`the database ${path} can't be opened: ${messageOf(error)}`, "Storage", error);
  }
}

/** Node says of its SQLite that it is experimental, once and on stderr; whoever starts a broker has no choice in that. */
function quietly<T>(load: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return load();
  } finally {
    process.emitWarning = emitWarning;
  }
}

const sqlite = quietly(() => process.getBuiltinModule("node:sqlite"));
/** Node 22.13 to 22.15 can't. */
const RETURNS_ARRAYS = "setReturnArrays" in sqlite.StatementSync.prototype;
