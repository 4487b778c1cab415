import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** Node's `(request, response)` for a function of `Request` to `Response`. Bodies are streamed in both directions. */
export function listener(fetch) {
  return async (incoming, outgoing) => {
    try {
      const response = await fetch(requestOf(incoming, outgoing));
      outgoing.writeHead(response.status, Object.fromEntries(response.headers));
      if (response.body) await pipeline(Readable.fromWeb(response.body), outgoing);
      else outgoing.end();
    } catch (error) {
      // Who went away needs no answer.
      if (!outgoing.destroyed) console.error(error);
      outgoing.destroy();
    }
  };
}

function requestOf(incoming, outgoing) {
  const { method, headers, url } = incoming;
  const gone = new AbortController();
  outgoing.once("close", () => gone.abort());
  const body = method === "GET" || method === "HEAD" ? undefined : Readable.toWeb(incoming);
  return new Request(new URL(url, `http://${headers.host}`), {
    method,
    headers: Object.entries(headers).flatMap(([name, value]) => [value].flat().map((each) => [name, each])),
    body,
    duplex: "half",
    signal: gone.signal,
  });
}
