/** Verification for Nuxt. */
import { verifySignatureH3 } from "./h3.js";

export type { VerifySignatureConfig } from "../../receiver/guard.js";

/** Verifies before an event handler in `server/api`. */
export const verifySignatureNuxt: typeof verifySignatureH3 = verifySignatureH3;
