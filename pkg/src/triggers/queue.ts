/** Runs that the messages of a queue start. */
import type { CallOptions } from "../config.js";
import type { WorkflowEngine } from "../engine/api.js";
import type { Trigger } from "../engine/trigger.js";
import { OrchestrationError } from "../errors.js";
import type { MessageOptions, PublishToUrlResponse } from "../qstash/publish.js";
import type { Queue } from "../qstash/queue.js";
import { delivered } from "./delivered.js";
import { base, type RequestTriggerOptions } from "./trigger.js";

/** Which queue, and how its messages start runs. */
export interface QueueTriggerOptions<TInput = unknown, TPayload = TInput>
  extends RequestTriggerOptions<TInput, TPayload> {
  /** Default: the trigger's name. */
  queueName?: string | undefined;
  /** How many messages may be on their way at once. A message has arrived when its run is started. Default: 1. */
  parallelism?: number | undefined;
}

/** What is asked of an engine to send a message to one of its triggers. */
export type EnqueueingEngine = Pick<WorkflowEngine, "initialize" | "provider" | "triggers" | "workflows">;

/** How a message is sent. */
export type EnqueueOptions = Pick<
  MessageOptions,
  "delay" | "notBefore" | "retries" | "retryDelay" | "deduplicationId" | "contentBasedDeduplication" | "label"
> &
  CallOptions;

/** A trigger that the messages of a queue pull. */
export interface QueueTrigger<TPayload = unknown> extends Trigger {
  readonly queueName: string;
  /** Sends a message to it, in the order of the queue. */
  enqueue(engine: EnqueueingEngine, payload: TPayload, options?: EnqueueOptions): Promise<PublishToUrlResponse>;
}

/**
 * Starts a run for each message of a queue, in order. The trigger makes the queue; removing it deletes the queue, or pauses it
 * if messages wait there.
 *
 * ```ts
 * const imports = queueTrigger({ name: "imports", workflow: importFile, parallelism: 2 });
 * await imports.enqueue(engine, { file: "a.csv" });
 * ```
 */
export function queueTrigger<TInput = unknown, TPayload = TInput>(
  options: QueueTriggerOptions<TInput, TPayload>,
): QueueTrigger<TPayload> {
  const { name, queueName = name, parallelism = 1 } = options;
  return {
    ...base("queue", options),
    ...delivered(options),
    queueName,
    async attach(host, call) {
      const queue = host.client().queue({ queueName });
      const known = await existing(queue, call);
      // One that somebody has paused stays so.
      if (known?.parallelism !== parallelism)
        await queue.upsert({ parallelism, ...(known ? { paused: known.paused } : {}) }, call);
    },
    async detach(host, call) {
      const queue = host.client().queue({ queueName });
      const known = await existing(queue, call);
      if (known) await (known.lag > 0 ? queue.pause(call) : queue.delete(call));
    },
    async enqueue(engine, payload, { signal, ...message } = {}) {
      await engine.initialize();
      const { url, client } = reached(engine, name);
      return client.queue({ queueName }).enqueueJSON({ ...message, url, body: payload }, { signal });
    },
  };
}

/** The address of the trigger in an engine, and the client that sends there. */
function reached(engine: EnqueueingEngine, name: string) {
  const trigger = engine.triggers().find((known) => known.name === name);
  if (!trigger?.url)
    throw new OrchestrationError(
      `the engine has no trigger '${name}': register it, and say the engine's url`,
      "NotFound",
    );
  const workflow = engine.workflows().find(({ id }) => id === trigger.workflowId);
  const { name: provider, client } = engine.provider(workflow?.options.provider);
  if (!client) throw new OrchestrationError(`the provider '${provider}' has no queues`, "Unsupported");
  return { url: trigger.url, client };
}

/** The queue as it is; `undefined` if there is none. */
async function existing(queue: Queue, call: CallOptions | undefined) {
  try {
    return await queue.get(call);
  } catch (error) {
    if ((error as { status?: unknown }).status === 404) return undefined;
    throw error;
  }
}
