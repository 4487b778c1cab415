/** Bodies of requests, as far as anybody may send them. */
import { OrchestrationError } from "../errors.js";

const MAX_BODY_BYTES = 1 << 20;

/**
 * The body, which is not read any further than the limit.
 *
 * @throws {OrchestrationError} `PayloadTooLarge`
 */
export async function bytesOf(request: Request, limit: number = MAX_BODY_BYTES): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(request.headers.get("content-length") ?? 0) > limit) throw tooLarge(limit);
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body?.getReader();
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    size += part.value.byteLength;
    if (size > limit) {
      await reader?.cancel();
      throw tooLarge(limit);
    }
    chunks.push(part.value);
  }
  const body = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.byteLength;
  }
  return body;
}

const tooLarge = (limit: number): OrchestrationError =>
  new OrchestrationError(`the body is larger than ${limit} bytes`, "PayloadTooLarge");
