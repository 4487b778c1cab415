/** Redis commands by Upstash's REST interface as steps. */
import { type RedisArgument, RedisRest } from "../resilience/redis.js";
import { fitting, type Step } from "../steps/step.js";
import type { PayloadSchema } from "../workflows/schema.js";
import { action, type Dynamic, type Dynamics, resolved } from "./action.js";
import { type Arrange, COMMANDS, type RedisCommandFields, type RedisCommandResults } from "./redis-commands.js";
import { discreet, setting } from "./secrets.js";

/** Which Redis. */
export interface RedisActionSettings {
  /** Default: `UPSTASH_REDIS_REST_URL`. */
  url?: string | undefined;
  /** Default: `UPSTASH_REDIS_REST_TOKEN`. */
  token?: string | (() => string | undefined) | undefined;
  /** Milliseconds that a command may take. Default: 10,000. */
  timeout?: number | undefined;
}

/** A command. */
export interface RedisActionConfig<TInput = unknown, TOutput = unknown> extends RedisActionSettings {
  /** Name and arguments. What is neither text nor number is written as JSON. */
  command: Dynamic<TInput, readonly [name: string, ...args: unknown[]]>;
  /** What the result has to be: a Standard Schema (zod, valibot, arktype), or `parse`. */
  response?: PayloadSchema<TOutput> | undefined;
}

/**
 * A Redis command as a step. Texts of the result that are JSON are parsed, as `@upstash/redis` does. It is done at least
 * once: after a crash a step may be repeated, so prefer commands for which that changes nothing.
 *
 * ```ts
 * const remember = redisAction("remember", { command: ({ id, total }: Order) => ["HSET", `order:${id}`, "total", total] });
 * ```
 *
 * Rejects with `Storage` if Redis refuses the command, `ProviderUnavailable` if it can't be reached, and
 * `ValidationFailed` for a result that does not fit `response`.
 */
export function redisAction<TInput = unknown, TOutput = unknown>(
  name: string,
  { command, response, ...settings }: RedisActionConfig<TInput, TOutput>,
): Step<TInput, TOutput> {
  const commandOf = (input: TInput) => (typeof command === "function" ? command(input) : command);
  return commandStep(name, settings, commandOf, same, response);
}

/** Fields of a command, each of which may be a function of the step's input. */
type CommandConfig<TInput, TFields, TOutput> = Dynamics<TInput, TFields> & {
  response?: PayloadSchema<TOutput> | undefined;
};

/** A maker of steps for each command. */
export type RedisCommands = {
  [K in keyof RedisCommandFields]: RedisCommandResults[K] extends { fixed: infer TResult }
    ? <TInput = unknown>(
        name: string,
        config: CommandConfig<TInput, RedisCommandFields[K], TResult>,
      ) => Step<TInput, TResult>
    : <TInput = unknown, TOutput = unknown>(
        name: string,
        config: CommandConfig<TInput, RedisCommandFields[K], TOutput>,
      ) => Step<TInput, RedisCommandResults[K] extends { list: true } ? TOutput[] : TOutput | null>;
};

/**
 * The usual commands of one Redis as makers of steps; {@link redisAction} is for all others.
 *
 * ```ts
 * const redis = redisCommands();
 * const load = redis.get<string, Profile>("load", { key: (id) => `profile:${id}` });
 * const count = redis.incr("count", { key: "visits" });
 * ```
 */
export function redisCommands(settings: RedisActionSettings = {}): RedisCommands {
  const makers = Object.entries(COMMANDS).map(([command, { arrange, result: shaped = same }]) => [
    command,
    (name: string, { response, ...fields }: CommandConfig<unknown, object, unknown>) => {
      const commandOf = (input: unknown) => [
        command.toUpperCase(),
        ...(arrange as Arrange)(resolved(fields as never, input)),
      ];
      return commandStep(name, settings, commandOf as never, shaped, response);
    },
  ]);
  return Object.fromEntries(makers);
}

function commandStep<TInput, TOutput>(
  name: string,
  { url, token, timeout }: RedisActionSettings,
  commandOf: (input: TInput) => readonly [string, ...unknown[]],
  shaped: (result: unknown) => unknown,
  response: PayloadSchema<TOutput> | undefined,
): Step<TInput, TOutput> {
  return action(name, (input, runner) =>
    runner.run(name, input, async ({ signal }) => {
      const given = typeof token === "function" ? token() : token;
      const secret = setting(name, "token", given, "UPSTASH_REDIS_REST_TOKEN", runner);
      const address = setting(name, "url", url, "UPSTASH_REDIS_REST_URL", runner);
      const [command, ...args] = commandOf(input);
      const result = await discreet([secret], () =>
        new RedisRest({ url: address, token: secret, timeout }).command([command, ...args.map(argument)], { signal }),
      );
      const value = shaped(read(result));
      return response ? fitting(name, "result", value, response) : (value as TOutput);
    }),
  );
}

const same = (result: unknown) => result;

const argument = (value: unknown): RedisArgument =>
  typeof value === "string" || typeof value === "number" ? value : JSON.stringify(value ?? null);

/** The result with what is JSON in it parsed. Numbers that would lose digits stay texts. */
function read(result: unknown): unknown {
  if (Array.isArray(result)) return result.map(read);
  if (typeof result !== "string") return result;
  try {
    const value: unknown = JSON.parse(result);
    return typeof value === "number" && String(value) !== result ? result : value;
  } catch {
    return result;
  }
}
