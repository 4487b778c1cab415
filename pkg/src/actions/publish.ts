/** Messages as steps. */

import type { MessageOptions, PublishToUrlGroupsResponse, PublishToUrlResponse } from "../qstash/publish.js";
import { Client, type Client as QstashClient } from "../qstash.js";
import type { StepRunner } from "../steps/runner.js";
import type { Step } from "../steps/step.js";
import type { WorkflowClient } from "../workflows/options.js";
import { action, type Dynamic, type DynamicBody, type Dynamics, resolved, typed, written } from "./action.js";
import { discreet } from "./secrets.js";

type Fields = Omit<MessageOptions, "body" | "headers" | "queueName"> & { callback?: string };

/** A message. Everything but `client` may be a function of the step's input. */
export type MessageActionConfig<TInput = unknown> = Dynamics<TInput, Fields> & {
  /** Default: the step's input. */
  body?: DynamicBody<TInput> | undefined;
  headers?: Dynamic<TInput, Record<string, string> | undefined>;
  /** Default: the run's, or that of `execute`'s option `client`, or one by the settings of the environment. */
  client?: Pick<QstashClient, "publish" | "queue"> | undefined;
};

/** A message to a URL, or to each endpoint of a URL group. */
export type PublishActionConfig<TInput = unknown> = MessageActionConfig<TInput> &
  ({ url: Dynamic<TInput, string>; urlGroup?: never } | { urlGroup: Dynamic<TInput, string>; url?: never });

/** A message that goes through a queue. */
export type EnqueueActionConfig<TInput = unknown> = MessageActionConfig<TInput> & {
  queueName: Dynamic<TInput, string>;
  url: Dynamic<TInput, string>;
};

/**
 * A message as a step: the destination is not waited for. The message has a deduplication id of its own in each run, so
 * that a step which is repeated after a crash does not send it twice; give `deduplicationId` or
 * `contentBasedDeduplication` for another.
 *
 * ```ts
 * const tell = publishAction("tell", { urlGroup: "order-shipped", body: ({ orderId }: Order) => ({ orderId }), delay: "1m" });
 * ```
 */
export function publishAction<TInput = unknown>(
  name: string,
  config: MessageActionConfig<TInput> & { url: Dynamic<TInput, string>; urlGroup?: never },
): Step<TInput, PublishToUrlResponse>;
export function publishAction<TInput = unknown>(
  name: string,
  config: MessageActionConfig<TInput> & { urlGroup: Dynamic<TInput, string>; url?: never },
): Step<TInput, PublishToUrlGroupsResponse>;
export function publishAction<TInput>(
  name: string,
  config: PublishActionConfig<TInput>,
): Step<TInput, PublishToUrlResponse | PublishToUrlGroupsResponse> {
  return messageAction(name, config, (client, message, options) => client.publish(message as never, options));
}

/**
 * {@link publishAction} through a queue, whose messages are delivered in order.
 *
 * ```ts
 * const invoice = enqueueAction("invoice", { queueName: "invoices", url: "https://my.app/api/invoice", retries: 5 });
 * ```
 */
export function enqueueAction<TInput = unknown>(
  name: string,
  config: EnqueueActionConfig<TInput>,
): Step<TInput, PublishToUrlResponse> {
  return messageAction(name, config, (client, { queueName, ...message }, options) =>
    client.queue({ queueName: queueName as string }).enqueue(message as never, options),
  );
}

type Sender = Pick<WorkflowClient, "publish" | "queue">;

type Message = Record<string, unknown>;

function messageAction<TInput, TOutput>(
  name: string,
  { client, ...dynamic }: MessageActionConfig<TInput>,
  send: (client: Sender, message: Message, options: { signal: AbortSignal }) => Promise<unknown>,
): Step<TInput, TOutput> {
  return action(name, (input, runner) => {
    const message = messageOf(runner, resolved(dynamic as Dynamics<never, Message>, input), input);
    return runner.run(name, input, ({ signal }) =>
      discreet([], () => send(client ?? clientOf(runner), message, { signal }) as Promise<TOutput>),
    );
  });
}

function messageOf(runner: StepRunner, { body: given, headers, ...fields }: Message, input: unknown): Message {
  const { body, type } = written(given === undefined ? input : given);
  const identified = fields.deduplicationId !== undefined || fields.contentBasedDeduplication === true;
  return {
    ...(identified ? {} : { deduplicationId: runner.uuid() }),
    ...fields,
    headers: typed(headers as Record<string, string> | undefined, type),
    ...(body === undefined ? {} : { body }),
  };
}

const clientOf = (runner: StepRunner): Sender => runner.client() ?? new Client({ env: runner.env });
