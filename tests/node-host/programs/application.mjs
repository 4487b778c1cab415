// An application in development: says what happened, a line of JSON each, and stays until it is killed.
// Usage: application.mjs client|receiver|serve|script [URL]

import { Client } from "@repo/orchestration/client";
import { Receiver } from "@repo/orchestration/server";
import { serve } from "@repo/orchestration/workflows";

const [what, url] = process.argv.slice(2);
const say = (line) => console.log(JSON.stringify(line));
setInterval(() => {}, 1000);

const roles = {
  /** Publishes to a URL, or asks for the keys. */
  async client() {
    const client = new Client({ retry: { retries: 5 } });
    say(url ? await client.publishJSON({ url, body: 1 }) : await client.keys.get());
  },
  receiver() {
    new Receiver();
    say("made");
  },
  serve() {
    serve(() => {});
    say("made");
  },
  /** Ends by itself. */
  async script() {
    say(await new Client().publishJSON({ url, body: 1 }));
    process.exit();
  },
};

try {
  await roles[what]();
} catch ({ code, message }) {
  say({ code, message });
}
