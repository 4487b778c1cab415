/** What Cloudflare calls a handler with. */

/** The settings that a Worker binds. */
export interface WorkflowBindings {
  QSTASH_TOKEN: string;
  QSTASH_URL?: string;
  QSTASH_CURRENT_SIGNING_KEY?: string;
  QSTASH_NEXT_SIGNING_KEY?: string;
  UPSTASH_WORKFLOW_URL?: string;
}

/** The execution context of a Worker; that of a Pages function has the same methods. */
export interface ExecutionContext {
  waitUntil(promise: Promise<unknown>): void;
  passThroughOnException?(): void;
}

/** The argument of a Pages function. */
export type PagesHandlerArgs<TEnv extends object = object> = [{ request: Request; env: TEnv }];

/** The arguments of a Worker's `fetch`. */
export type WorkersHandlerArgs<TEnv extends object = object> = [Request, TEnv, ExecutionContext?];

/** What a workflow finds in `context.platform`. */
export interface CloudflarePlatform<TEnv extends object = object> {
  request: Request;
  /** The bindings: settings, KV, Durable Objects, queues. */
  env: TEnv;
  /** Keeps work going after the answer. In a Pages function, its context. */
  ctx: ExecutionContext;
}

/**
 * The platform of a call, in both forms.
 *
 * @throws {TypeError} for other arguments
 */
export function argumentsOf<TEnv extends object>(
  args: PagesHandlerArgs<TEnv> | WorkersHandlerArgs<TEnv>,
): CloudflarePlatform<TEnv> {
  const [first, env, ctx] = args as readonly unknown[];
  if (typeof first === "object" && first !== null && "request" in first && "env" in first) {
    return { ...(first as PagesHandlerArgs<TEnv>[0]), ctx: first as unknown as ExecutionContext };
  }
  if (first && typeof env === "object" && env !== null) {
    return { request: first as Request, env: env as TEnv, ctx: (ctx as ExecutionContext) ?? NO_CONTEXT };
  }
  throw new TypeError(
    "expected the arguments of a Worker, (request, env, ctx), or of a Pages function, ({ request, env })",
  );
}

const NO_CONTEXT: ExecutionContext = { waitUntil() {} };
