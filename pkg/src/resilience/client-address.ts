/** Who makes a request, as far as the proxies in front of the application tell. */

/**
 * The address of the client: what the nearest of `proxies` trusted proxies has added to `x-forwarded-for`, counted from
 * the end. What stands before it is the client's own text, and is never believed. IPv6 addresses are told as their /64
 * network, of which a client has all addresses, and IPv4 addresses that are written as IPv6 as what they are.
 *
 * @param proxies trusted proxies in front of the application, each of which adds an address. Default: 1
 * @returns `undefined` without that header, or if it has no address there
 */
export function clientAddress(request: { headers: Headers }, proxies = 1): string | undefined {
  const addresses = request.headers.get("x-forwarded-for")?.split(",") ?? [];
  const text = addresses.at(-proxies)?.trim();
  return text ? (ipv4(text) ?? ipv6(text)) : undefined;
}

function ipv4(text: string): string | undefined {
  const [, address] = /^(?:::ffff:|\[::ffff:)?(\d{1,3}(?:\.\d{1,3}){3})\]?(?::\d{1,5})?$/i.exec(text) ?? [];
  return address?.split(".").every((part) => Number(part) <= 255) ? address : undefined;
}

/** The first four groups of eight; the last two if they are an IPv4 address (RFC 4291, 2.5.5.2). */
function ipv6(text: string): string | undefined {
  const [, address = text] = /^\[(.*)\](?::\d{1,5})?$/.exec(text) ?? [];
  const host = `http://[${address}]`;
  if (!/^[\da-f:.]+$/i.test(address) || !URL.canParse(host)) return undefined;
  // The host of a URL is written in one way only: lower case, without zeros in front, the longest row of zeros as `::`.
  const [front = "", back] = new URL(host).hostname.slice(1, -1).split("::");
  const groups = (part: string | undefined) => (part ? part.split(":") : []);
  const [first, last] = [groups(front), groups(back)];
  const zeros = Array<string>(8 - first.length - last.length).fill("0");
  const all = [...first, ...zeros, ...last];
  if (all.slice(0, 6).join(":") === "0:0:0:0:0:ffff") {
    const numbers = all.slice(6).map((group) => Number.parseInt(group, 16));
    return numbers.flatMap((number) => [number >> 8, number & 255]).join(".");
  }
  return `${all.slice(0, 4).join(":")}::/64`;
}
