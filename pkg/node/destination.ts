/** Which addresses deliveries may go to, after names were resolved: the one place that is asked. */
import { lookup as resolve } from "node:dns";
import { isIP, type LookupFunction } from "node:net";

/** Why an address is refused, in a sentence; `undefined` if it isn't. `address` is an IP address in any form. */
export type AddressRule = (address: string) => string | undefined;

/** A destination that the rule refuses. */
export class RefusedAddress extends Error {}

/** Refuses a host that is an address itself: nobody looks it up. Throws {@link RefusedAddress}. */
export function checkHost(hostname: string, rule: AddressRule | undefined): void {
  const address = hostname.replace(/^\[|\]$/g, "");
  const reason = isIP(address) ? rule?.(address) : undefined;
  if (reason) throw new RefusedAddress(reason);
}

/**
 * Looks names up, and refuses those that lead to an address that the rule refuses. The connection goes to the very address
 * that was looked at, so that a name can't change its mind.
 */
export function checkedLookup(rule: AddressRule | undefined): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, "", 0);
      const reason = rule && addresses.map(({ address }) => rule(address)).find((reason) => reason !== undefined);
      if (reason) return callback(new RefusedAddress(reason), "", 0);
      if (options.all) return callback(null, addresses);
      const [first] = addresses;
      callback(null, first?.address ?? "", first?.family);
    });
  };
}
