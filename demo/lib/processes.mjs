/** Child processes and temporary folders. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new folder under the system's temporary folder. */
export function temporaryFolder() {
  return mkdtempSync(join(tmpdir(), "orchestration-demo-"));
}

export function removeFolder(folder) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

/**
 * Runs a command to its end; rejects with its output unless it exits with 0.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {import("node:child_process").SpawnOptions} options
 * @returns {Promise<string>} what it wrote to its standard output
 */
export async function run(command, args, options) {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) {
    child[name].setEncoding("utf8").on("data", (text) => {
      output[name] += text;
    });
  }
  const [code, signal] = await once(child, "close");
  if (code !== 0) {
    throw new Error(`${command} ${args.join(" ")}: ended with ${code ?? signal}\n${output.stdout}${output.stderr}`);
  }
  return output.stdout;
}

/**
 * Starts a server as a child process and waits until its output matches `ready`.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {import("node:child_process").SpawnOptions & { log: string, ready: RegExp, limitMs: number }} options
 * @returns {Promise<{ match: RegExpMatchArray, pid: number, stop: () => Promise<void> }>}
 */
export async function startServer(command, args, { log, ready, limitMs, ...options }) {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const closed = once(child, "close");
  // No server outlives the program that started it.
  const onExit = () => child.kill("SIGKILL");
  process.once("exit", onExit);
  child.once("close", () => process.off("exit", onExit));
  const stop = async () => {
    child.kill("SIGKILL");
    await closed;
  };
  const file = createWriteStream(log, { flags: "a" });
  let output = "";
  try {
    const match = await new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${command}: not ready after ${limitMs} ms\n${output}`)),
        limitMs,
      );
      const read = (chunk) => {
        file.write(chunk);
        if (output === undefined) return;
        output += chunk;
        const match = output.match(ready);
        if (match === null) return;
        output = undefined;
        clearTimeout(timer);
        resolve(match);
      };
      child.stdout.on("data", read);
      child.stderr.on("data", read);
      closed.then(([code, signal]) => {
        clearTimeout(timer);
        reject(new Error(`${command}: ended with ${code ?? signal} before it was ready\n${output}`));
      }, reject);
    });
    return { match, pid: child.pid, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
