/** Triggers that messages of the provider's broker pull. */
import type { Trigger, TriggerHost } from "../engine/trigger.js";
import { isOrchestrationError } from "../errors.js";
import { json } from "../http/answers.js";
import { bytesOf } from "../http/body.js";
import { checkMethod, payloadOf } from "./payload.js";
import { runIdOf } from "./run-id.js";
import { checked, type RequestTriggerOptions, started } from "./trigger.js";

/**
 * Starts a run by a message. The message's id becomes that of the run, so another delivery of it starts no second one. What is
 * no payload now will be none later: the broker is told not to try again.
 */
export const delivered = <TInput, TPayload>(
  options: RequestTriggerOptions<TInput, TPayload>,
): Required<Pick<Trigger, "handle">> => ({
  async handle(request: Request, host: TriggerHost): Promise<Response> {
    const { name, maxBodyBytes } = options;
    checkMethod(request, name);
    const body = await bytesOf(request, maxBodyBytes);
    await host.verify(request, body);
    try {
      const payload = await checked(options, payloadOf(request, body));
      const messageId = request.headers.get("upstash-message-id");
      return await started(host, options, payload, request, messageId ? await runIdOf(name, messageId) : undefined);
    } catch (error) {
      if (!isOrchestrationError(error) || !FINAL.includes(error.code)) throw error;
      const { code, message } = error;
      return json({ error: code, message }, NON_RETRYABLE, { "upstash-nonretryable-error": "true" });
    }
  },
});

const FINAL: readonly string[] = ["ValidationFailed", "InvalidRequest"];
const NON_RETRYABLE = 489;
