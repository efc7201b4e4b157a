/** Whose request it is, by address: the peer's own, or what a proxy of ours says of it. */
import ipaddr from "ipaddr.js";

/** Where a request came from; `` where that has no address (a Unix socket). */
export type PeerOf = (info: Deno.ServeHandlerInfo, headers: Headers) => string;

/**
 * WARNING: a forwarded address is anybody's word unless the peer is one of `trusted` (addresses and ranges,
 * checked by the configuration); then it is the last one in X-Forwarded-For that is none of them.
 */
export function createPeerOf(trusted: readonly string[]): PeerOf {
  if (trusted.length === 0) return directPeer;
  const ranges = trusted.map(rangeOf);

  function isTrusted(address: string): boolean {
    if (!ipaddr.isValid(address)) return false;
    const parsed = ipaddr.process(address);
    return ranges.some(([range, bits]) => range.kind() === parsed.kind() && parsed.match(range, bits));
  }

  return function peerBehind(info, headers) {
    const peer = directPeer(info);
    if (!isTrusted(peer)) return peer;
    const hops = (headers.get("x-forwarded-for") ?? "").split(",").map(withoutPort);
    for (const hop of hops.reverse()) {
      // From here on leftwards it is anybody's word.
      if (!ipaddr.isValid(hop)) return peer;
      const address = ipaddr.process(hop).toString();
      if (!isTrusted(address)) return address;
    }
    return peer;
  };
}

/** Some gateways write the client's port too: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function withoutPort(hop: string): string {
  const text = hop.trim();
  return /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
}

/** What is counted as one: an IPv4 address, and of IPv6 the /64 that one machine has to itself. */
export function networkOf(address: string): string {
  if (!address.includes(":") || !ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).join(":") : parsed.toString();
}

/** The address, and how many of its bits count. Throws Error for what is none. */
function rangeOf(text: string): readonly [ipaddr.IPv4 | ipaddr.IPv6, number] {
  if (text.includes("/")) return ipaddr.parseCIDR(text);
  const address = ipaddr.process(text);
  return [address, address.kind() === "ipv4" ? 32 : 128];
}

/** IPv4 in IPv6 is written as IPv4. */
function directPeer(info: Deno.ServeHandlerInfo): string {
  const peer = info.remoteAddr;
  if (!("hostname" in peer) || typeof peer.hostname !== "string") return "";
  return peer.hostname.replace(/^::ffff:(?=[0-9.]+$)/i, "");
}
