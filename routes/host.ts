/** Which of our addresses a request came to: the Host header, by grammar. */

/** The addresses that are ours, worked out once. */
export interface HostTable {
  /** `host` or `host:port`, lower-case. */
  readonly known: ReadonlySet<string>;
  /** `.` and the base's host name: one label before it names an organisation; null where the base is an IP address. */
  readonly parent: string | null;
  /** `:port` forms that go with the parent; `""` is no port. */
  readonly ports: ReadonlySet<string>;
}

export type HostMatch =
  | { readonly kind: "known"; readonly label: string | null }
  | { readonly kind: "unknown" }
  | { readonly kind: "malformed" };

/** RFC 9110 §7.2 narrowed to names, IPv4 and bracketed IPv6; `_` because container networks use it. */
const HOST =
  /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?$/;
const IPV4 = /^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$/;
const ORGANISATION = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const MAX_HOST_LENGTH = 255;

/** A DNS label in lower case: the same grammar in a host name and in `/o/{organisation}`. */
export function isOrganisationId(text: string): boolean {
  return ORGANISATION.test(text);
}

/** `hosts` are further authorities that are ours (`localhost:8080` while listening on loopback). */
export function createHostTable(base: URL, hosts: readonly string[]): HostTable {
  const port = base.port || (base.protocol === "https:" ? "443" : "80");
  const ports = new Set(base.port === "" ? ["", `:${port}`] : [`:${port}`]);
  const known = new Set(hosts.map((host) => host.toLowerCase()));
  for (const suffix of ports) known.add(base.hostname.toLowerCase() + suffix);
  const isAddress = base.hostname.startsWith("[") || IPV4.test(base.hostname);
  return { known, parent: isAddress ? null : `.${base.hostname.toLowerCase()}`, ports };
}

/** What `localhost`, `127.0.0.1` and `[::1]` are while listening on loopback at `port`; else nothing. */
export function loopbackHosts(hostname: string, port: number): readonly string[] {
  const bare = hostname.replaceAll(/[[\]]/g, "");
  if (bare !== "localhost" && bare !== "::1" && !bare.startsWith("127.")) return [];
  const suffixes = port === 80 ? ["", ":80"] : [`:${port}`];
  return ["localhost", "127.0.0.1", "[::1]"].flatMap((host) => suffixes.map((suffix) => host + suffix));
}

/** Malformed beats unknown: a Host that is none is refused with 400 whatever was asked for. */
export function matchHost(host: string, table: HostTable): HostMatch {
  const lower = host.toLowerCase();
  if (table.known.has(lower)) return { kind: "known", label: null };
  if (lower.length > MAX_HOST_LENGTH || !HOST.test(lower)) return { kind: "malformed" };
  const colon = lower.lastIndexOf(":");
  const hasPort = colon > lower.lastIndexOf("]") && colon !== -1;
  const suffix = hasPort ? lower.slice(colon) : "";
  if (hasPort && Number(suffix.slice(1)) > 65_535) return { kind: "malformed" };
  const name = hasPort ? lower.slice(0, colon) : lower;
  if (table.parent === null || !name.endsWith(table.parent) || !table.ports.has(suffix)) {
    return { kind: "unknown" };
  }
  const label = name.slice(0, -table.parent.length);
  return isOrganisationId(label) ? { kind: "known", label } : { kind: "unknown" };
}
