/** Which addresses a request may go to: what a document or a webhook names must be public, what a person configured need not. */
import ipaddr from "ipaddr.js";

/** How an address came to be asked for: a person wrote the host down, or somebody else's text named it. */
export type Trust = "configured" | "named";

/** Ranges in which clouds keep metadata and credentials, and those that no host can have; never reached by name. */
const NEVER_BY_NAME = ["linkLocal", "unspecified", "multicast", "broadcast"] as const;

/** Metadata services outside the link-local range: in unique-local, shared and even public space. */
const METADATA_V6 = ["fd00:ec2::/32", "fd20:ce::/32"].map((range) => ipaddr.IPv6.parseCIDR(range));
const METADATA_V4 = ["100.100.100.200", "168.63.129.16"];

/** Prefixes whose addresses carry an IPv4 address: NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056), compatible. */
const EMBEDDING = [
  { range: ipaddr.IPv6.parseCIDR("64:ff9b::/96"), at: 12 },
  { range: ipaddr.IPv6.parseCIDR("64:ff9b:1::/48"), at: 12 },
  { range: ipaddr.IPv6.parseCIDR("2002::/16"), at: 2 },
  { range: ipaddr.IPv6.parseCIDR("::/96"), at: 12 },
  { range: ipaddr.IPv6.parseCIDR("::ffff:0:0:0/96"), at: 12 },
];

/** The address of a URL's host if it is a literal (brackets allowed), else null. */
export function literalAddress(hostname: string): string | null {
  const bare = hostname.replace(/^\[|\]$/g, "");
  return ipaddr.isValid(bare) ? bare : null;
}

/** Whether a name that was looked up may lead to `address`. What does not parse may not. */
export function isReachable(address: string, trust: Trust): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv4 ? isReachableV4(parsed, trust) : isReachableV6(parsed, trust);
}

/** Whether a host needs no look-up to be known as one's own: used where a proxy resolves names instead of us. */
export function isLocalName(hostname: string): boolean {
  const name = hostname.toLowerCase().replace(/\.$/, "");
  if (!name.includes(".")) return literalAddress(name) === null;
  return /(^|\.)(localhost|local|internal|intranet|lan|home\.arpa)$/.test(name);
}

function isReachableV4(address: ipaddr.IPv4, trust: Trust): boolean {
  return !METADATA_V4.includes(address.toString()) && isReachableRange(address.range(), trust);
}

function isReachableV6(address: ipaddr.IPv6, trust: Trust): boolean {
  if (METADATA_V6.some((range) => address.match(range))) return false;
  const loopback = address.range() === "loopback";
  const carrier = loopback ? undefined : EMBEDDING.find(({ range }) => address.match(range));
  if (carrier !== undefined && address.range() !== "unspecified") {
    return isReachableV4(new ipaddr.IPv4(address.toByteArray().slice(carrier.at, carrier.at + 4)), trust);
  }
  return isReachableRange(address.range(), trust);
}

function isReachableRange(range: string, trust: Trust): boolean {
  if (trust === "named") return range === "unicast";
  return !NEVER_BY_NAME.some((never) => never === range);
}
