/** Upstash's REST protocol in front of a Redis: one command, or several as a pipeline, in a POST of JSON. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

import { RedisReply } from "./redis.mjs";

export const TOKEN = "rest-t0ken-of-the-test";

/**
 * @param {{command: (...parts: unknown[]) => Promise<unknown>}} redis
 * @returns what a client needs, the commands that came (`received`), and `stop`. A function in `intercept` sees each
 *   request first, and may answer it.
 */
export async function startRest(redis) {
  const front = { token: TOKEN, received: [], intercept: undefined };
  const server = createServer(async (incoming, response) => {
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const answer = (status, body) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (front.intercept?.(incoming, response) === true) return;
    if (incoming.headers.authorization !== `Bearer ${TOKEN}`) return answer(401, { error: "WRONGPASS invalid token" });
    const body = JSON.parse(Buffer.concat(chunks).toString());
    const encode = incoming.headers["upstash-encoding"] === "base64" ? encoded : (value) => value;
    if (incoming.url === "/pipeline") {
      const results = await Promise.all(body.map((command) => run(redis, front, command, encode)));
      return answer(200, results);
    }
    const result = await run(redis, front, body, encode);
    answer(result.error === undefined ? 200 : 400, result);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  front.url = `http://127.0.0.1:${server.address().port}`;
  front.stop = async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  };
  return front;
}

async function run(redis, front, command, encode) {
  front.received.push(command);
  try {
    return { result: encode(await redis.command(...plain(command))) };
  } catch (error) {
    if (error instanceof RedisReply) return { error: error.message };
    throw error;
  }
}

/** A flag that Upstash's Redis knows and the open one does not. */
const FLAGS = /^#!lua flags=allow-key-locking\n/;
/** Digests of scripts with the flag, and without it. */
const digests = new Map();
const digestOf = (script) => createHash("sha1").update(script).digest("hex");

/** The command as the open Redis understands it. */
function plain([name, script, ...rest]) {
  if (/^evalsha$/i.test(name)) return [name, digests.get(script) ?? script, ...rest];
  if (!/^eval$/i.test(name) || !FLAGS.test(script)) return script === undefined ? [name] : [name, script, ...rest];
  const open = script.replace(FLAGS, "");
  digests.set(digestOf(script), digestOf(open));
  return [name, open, ...rest];
}

/** Texts as base64, as clients ask for; a status such as `OK` is none. */
function encoded(value) {
  if (Array.isArray(value)) return value.map(encoded);
  return typeof value === "string" && value !== "OK" ? Buffer.from(value).toString("base64") : value;
}
