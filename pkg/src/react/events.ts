/** Server-sent events, read from a `fetch`: unlike `EventSource` it carries headers, tells the status, and can be aborted. */

/** One event. */
export interface ServerEvent {
  /** `message` if the server gives no name. */
  event: string;
  data: string;
}

/**
 * The events of a body, as the HTML standard reads them (§ 9.2.6, without `id` and `retry`). `onBytes` is called at every
 * chunk, also one of comments alone. The body is cancelled when the caller stops early.
 */
export async function* eventsOf(
  body: ReadableStream<Uint8Array>,
  onBytes: () => void = () => {},
): AsyncGenerator<ServerEvent, void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let event = "";
  let data: string[] = [];
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      onBytes();
      rest += decoder.decode(value, { stream: true });
      // A CR at the very end may be the first half of a CRLF.
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "") {
          if (data.length > 0) yield { event: event || "message", data: data.join("\n") };
          event = "";
          data = [];
          continue;
        }
        const [, field = "", text = ""] = FIELD.exec(line) ?? [];
        if (field === "event") event = text;
        else if (field === "data") data.push(text);
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Name and value; a comment has an empty name. */
const FIELD = /^([^:]*)(?:: ?(.*))?$/s;
