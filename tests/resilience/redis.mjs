/** A real Redis on a socket of its own, without persistence, and what speaks RESP with it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const START_MS = 10_000;

/** Starts `redis-server`; `command` rejects with Redis' own errors, `stop` ends the process. */
export async function startRedis() {
  const folder = await mkdtemp(join(tmpdir(), "orchestration-redis-"));
  const path = join(folder, "redis.sock");
  const settings = ["--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no", "--dir", folder];
  const server = spawn("redis-server", settings, { stdio: ["ignore", "pipe", "inherit"] });
  server.stdout.resume();
  // A test that dies of an error takes it along.
  const end = () => server.kill("SIGKILL");
  process.once("exit", end);
  const ended = once(server, "exit");
  const failed = once(server, "error").then(([error]) => {
    throw new Error(`redis-server does not start (Debian package redis-server): ${error.message}`);
  });
  const client = await Promise.race([connected(path), failed]);
  return {
    command: (...parts) => client.command(parts),
    async stop() {
      client.end();
      end();
      await ended;
      process.removeListener("exit", end);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function connected(path) {
  for (const begun = Date.now(); ; ) {
    try {
      return await RespClient.connect(path);
    } catch (error) {
      if (Date.now() - begun > START_MS) throw error;
      await sleep(20);
    }
  }
}

/** An error that Redis answered with. */
export class RedisReply extends Error {}

/** Sends commands and matches the answers, which come in the same order. */
class RespClient {
  #socket;
  #waiting = [];
  #rest = Buffer.alloc(0);

  constructor(socket) {
    this.#socket = socket;
    socket.on("data", (bytes) => this.#receive(bytes));
    socket.on("close", () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error("Redis is gone"));
    });
    socket.on("error", () => {});
  }

  static async connect(path) {
    const socket = connect(path);
    await once(socket, "connect");
    return new RespClient(socket);
  }

  command(parts) {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error("Redis is gone"));
      this.#waiting.push({ resolve, reject });
      const bulks = parts.map((part) => `$${Buffer.byteLength(String(part))}\r\n${part}\r\n`);
      this.#socket.write(`*${parts.length}\r\n${bulks.join("")}`);
    });
  }

  end() {
    this.#socket.destroy();
  }

  #receive(bytes) {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (;;) {
      const read = parse(this.#rest, 0);
      if (!read) return;
      this.#rest = this.#rest.subarray(read.end);
      const { resolve, reject } = this.#waiting.shift();
      if (read.value instanceof RedisReply) reject(read.value);
      else resolve(read.value);
    }
  }
}

/** A value of RESP2 and where it ends; `undefined` if it is not complete. */
function parse(buffer, start) {
  const line = buffer.indexOf("\r\n", start);
  if (line < 0) return undefined;
  const text = buffer.toString("utf8", start + 1, line);
  const end = line + 2;
  switch (String.fromCharCode(buffer[start])) {
    case "+":
      return { value: text, end };
    case "-":
      return { value: new RedisReply(text), end };
    case ":":
      return { value: Number(text), end };
    case "$": {
      const length = Number(text);
      if (length < 0) return { value: null, end };
      if (buffer.length < end + length + 2) return undefined;
      return { value: buffer.toString("utf8", end, end + length), end: end + length + 2 };
    }
    case "*": {
      const values = [];
      let next = end;
      for (let index = 0; index < Number(text); index += 1) {
        const read = parse(buffer, next);
        if (!read) return undefined;
        values.push(read.value);
        next = read.end;
      }
      return { value: Number(text) < 0 ? null : values, end: next };
    }
    default:
      throw new Error("not RESP2");
  }
}
