/** Which names of this app can't be those of somebody's site: the rule is the broker's own (`src/host/js/broker/front.rs`). */
import { isIPv4 } from "node:net";

/**
 * Whether a header `Host` names an address, or a name that no site can have. A site can let its own name lead to this
 * machine, and to the browser its pages then belong to this app.
 */
export function isLocalHost(host: string): boolean {
  const name = host.replace(/:\d*$/, "").replace(/\.+$/, "").toLowerCase();
  return name.startsWith("[") || isIPv4(name) || !name.includes(".") || /\.(localhost|local|internal|test)$/.test(name);
}
