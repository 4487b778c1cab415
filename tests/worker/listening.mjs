// A listener to a broker's changes, as a browser's EventSource is one; for the tests of every host.

import assert from "node:assert/strict";
import { until } from "./support.mjs";

/** Opens the stream and reads it until `close`, or until the test ends. */
export async function listen(t, url, token, path = "/v2/changes") {
  const gone = new AbortController();
  t.after(() => gone.abort());
  const response = await fetch(url + path, {
    headers: token ? { authorization: `Bearer ${token}` } : {},
    signal: gone.signal,
  });
  assert.equal(response.status, 200, `${response.status}`);
  const heard = { text: "", changes: [], ended: false };
  const reading = (async () => {
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      heard.text += chunk;
      const all = heard.text.match(/^event: change\ndata: \{\}\n\n/gm)?.length ?? 0;
      while (heard.changes.length < all) heard.changes.push(Date.now());
    }
    heard.ended = true;
  })().catch((error) => {
    if (!gone.signal.aborted) heard.error = error;
  });
  await until(() => heard.text.includes("event: ready"));
  return {
    response,
    heard,
    /** What `action` does is told. Waits until changes of before are told, too. */
    async tells(action) {
      const before = heard.changes.length;
      const done = await action();
      await until(() => heard.changes.length > before);
      return done;
    },
    async close() {
      gone.abort();
      await reading;
    },
    ended: reading,
  };
}

/** Opens streams until there is no place; returns how many there were, and the refusal. */
export async function fill(t, url, token) {
  const streams = [];
  for (;;) {
    const gone = new AbortController();
    t.after(() => gone.abort());
    const response = await fetch(`${url}/v2/changes?qstash_token=${token}`, { signal: gone.signal });
    if (response.status !== 200) return { streams, response };
    const reader = response.body.getReader();
    await reader.read();
    streams.push({ close: () => gone.abort() });
    assert.ok(streams.length < 1000, "no limit");
  }
}
