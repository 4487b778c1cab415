/** Receivers that have to be asked themselves: those with a replay guard, and those that are not of this package. */
import { reasonOf } from "../broker.js";
import { OrchestrationError, SignatureError } from "../errors.js";
import { GUARDED, KEYS, type Receiver, type VerifyRequest } from "../receiver.js";

/** What is asked of a receiver: {@link Receiver} has it, and so has that of the official SDK. */
export interface WorkflowReceiver {
  verify(request: Omit<VerifyRequest, "body"> & { body: string }): Promise<boolean>;
}

/** Asks the receiver about a request. */
export type Authenticate = (request: Request, body: Uint8Array, subject: string | undefined) => Promise<void>;

/** The question for a receiver that the core's keys can't answer for; `undefined` if they can. */
export function authentication(
  receiver: Receiver | WorkflowReceiver | undefined,
  clockTolerance: number | undefined,
): Authenticate | undefined {
  if (!receiver || (KEYS in receiver && !receiver[GUARDED])) return undefined;
  return asking(receiver, clockTolerance);
}

/** Asks a receiver about a request. @throws {SignatureError} if it refuses it */
export function asking(receiver: Receiver | WorkflowReceiver, clockTolerance?: number): Authenticate {
  return async ({ headers }, body, url) => {
    const signature = headers.get("upstash-signature");
    if (!signature)
      throw new SignatureError("the request carries no signature in 'Upstash-Signature'", "SignatureMissing");
    const upstashRegion = headers.get("upstash-region") ?? undefined;
    const question = { signature, url, clockTolerance, upstashRegion };
    if (KEYS in receiver) {
      await receiver.verify({ ...question, body });
      return;
    }
    let valid: boolean;
    try {
      valid = await receiver.verify({ ...question, body: new TextDecoder().decode(body) });
    } catch (error) {
      throw new SignatureError(`the receiver refused the request: ${reasonOf(error)}`);
    }
    if (!valid) throw new SignatureError("the receiver refused the request");
  };
}

/** The status of an answer to a request that could not be served. */
export function statusOf(error: unknown): number {
  if (!(error instanceof OrchestrationError) || !error.code.startsWith("Signature")) return 500;
  return error.code === "SignatureMissing" || error.code === "SignatureMalformed" ? 401 : 403;
}
