/** What a provider can't do. */
import { OrchestrationError } from "../errors.js";

export const lacking = (provider: string, method: string): OrchestrationError =>
  new OrchestrationError(`the provider '${provider}' does not offer '${method}'`, "Unsupported");
