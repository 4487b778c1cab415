/** Verification for Hono. */
import { Guard, type VerifySignatureConfig } from "../../receiver/guard.js";

export type { VerifySignatureConfig } from "../../receiver/guard.js";

/** What is looked at of Hono's context. */
interface HonoContext {
  env: unknown;
  req: { raw: Request; header(name: string): string | undefined; arrayBuffer(): Promise<ArrayBuffer> };
}

/**
 * Verifies before a handler or a middleware: `app.post("/hook", verifySignatureHono(handler))`. Keys come from the bindings,
 * or from the process's environment if those hold none. `c.req` can be read as ever.
 */
export function verifySignatureHono<TContext extends HonoContext, TNext = unknown>(
  handler: (context: TContext, next: TNext) => unknown,
  config?: VerifySignatureConfig,
): (context: TContext, next: TNext) => Promise<Response> {
  const guard = new Guard(config);
  return async (context, next) => {
    const { raw } = context.req;
    // Hono keeps what it has read; the bytes of the request itself are left to whoever reads `raw`.
    const body = new Uint8Array(await (raw.bodyUsed ? context.req : raw.clone()).arrayBuffer());
    const header = (name: string) => context.req.header(name);
    const refusal = await guard.refusal({ url: raw.url, header, body, env: context.env as object });
    return refusal ? new Response(refusal.text, { status: 403 }) : (handler(context, next) as Promise<Response>);
  };
}
