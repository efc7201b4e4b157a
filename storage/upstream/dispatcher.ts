/** The bottom layer: one hop over undici, to an address that was checked and is pinned for that connection. */
import { isIPv6 } from "node:net";
import { lookup as systemLookup } from "node:dns/promises";
import { rootCertificates } from "node:tls";
import "./undici_on_deno.ts";
import { Agent } from "undici";
import { isLocalName, isReachable, literalAddress, type Trust } from "./address.ts";
import type { NetworkConfig } from "./config.ts";
import { exchange } from "./exchange.ts";
import { failure, FORBIDDEN_ADDRESS } from "./failures.ts";
import { usesProxy } from "./proxy.ts";
import { parseProxy, proxyAuthorization, tunnelConnector } from "./tunnel.ts";

/** All addresses of a name; asked once for each new connection, which then uses no other. */
export type LookupAll = (hostname: string) => Promise<readonly string[]>;

export interface Dispatcher {
  /** One hop. Throws UpstreamError with a bare reason; what the request's signal says if that aborts. */
  send(request: Request, trust: Trust): Promise<Response>;
  /** Cuts what still runs. */
  close(): Promise<void>;
}

/** The dispatcher of one process; its connections are kept alive and bounded per origin. */
export function createDispatcher(
  network: NetworkConfig,
  lookupAll: LookupAll = lookupWithSystem,
): Dispatcher {
  const direct: Readonly<Record<Trust, Agent>> = {
    configured: directAgent(network, lookupAll, "configured"),
    named: directAgent(network, lookupAll, "named"),
  };
  const proxied = network.proxy === null ? null : createProxied(network, parseProxy(network.proxy));

  // deno-lint-ignore require-await -- what is refused rejects, it does not throw
  async function send(request: Request, trust: Trust): Promise<Response> {
    const url = new URL(request.url);
    refuseLiteral(url, trust);
    if (proxied === null || !usesProxy(url, network)) return exchange(direct[trust], request);
    refuseLocalName(url, trust);
    return url.protocol === "https:"
      ? exchange(proxied.tunnels, request)
      : exchange(proxied.forwarding, request, proxied.via);
  }

  async function close(): Promise<void> {
    await Promise.all(
      [direct.configured, direct.named, proxied?.tunnels, proxied?.forwarding].map((agent) =>
        agent?.destroy()
      ),
    );
  }

  return { send, close };
}

function directAgent(network: NetworkConfig, lookupAll: LookupAll, trust: Trust): Agent {
  return new Agent({
    ...connectionOptions(network),
    connect: { ...authorities(network), lookup: guardedLookup(lookupAll, trust) },
  });
}

/** The proxy resolves the names, so their addresses are its to guard; literals and local names are refused here. */
function createProxied(network: NetworkConfig, proxy: URL) {
  const options = connectionOptions(network);
  const connect = tunnelConnector({ proxy, timeoutMs: network.connectTimeoutMs, ...authorities(network) });
  return {
    tunnels: new Agent({ ...options, connect }),
    forwarding: new Agent(options),
    via: { origin: proxy.origin, authorization: proxyAuthorization(proxy) },
  };
}

function connectionOptions(network: NetworkConfig) {
  return {
    allowH2: false,
    pipelining: 1,
    connections: network.maxConnectionsPerOrigin,
    connectTimeout: network.connectTimeoutMs,
    // timeout.ts keeps these, with the caller's timers.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: 64 * 1024,
  };
}

/** Deno and Node replace the built-in roots by `ca`: they are named again beside the extra one. */
function authorities(network: NetworkConfig): { readonly ca?: string[] } {
  return network.caPem === null ? {} : { ca: [...rootCertificates, network.caPem] };
}

/**
 * WARNING: the guard against private addresses and DNS rebinding. The socket connects to what this answers and
 * looks nothing up again.
 */
export function guardedLookup(lookupAll: LookupAll, trust: Trust) {
  return (
    hostname: string,
    options: { readonly all?: boolean | undefined },
    callback: (
      error: NodeJS.ErrnoException | null,
      address: string | { address: string; family: number }[],
      family?: number,
    ) => void,
  ): void => {
    lookupAll(hostname).then((addresses) => {
      const allowed = addresses.filter((address) => isReachable(address, trust))
        .map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
      const [first] = allowed;
      if (first === undefined) {
        const code = addresses.length === 0 ? "ENOTFOUND" : FORBIDDEN_ADDRESS;
        return callback(Object.assign(new Error("No address to connect to"), { code }), []);
      }
      return options.all ? callback(null, allowed) : callback(null, first.address, first.family);
    }, (error) => callback(error as NodeJS.ErrnoException, []));
  };
}

/** No look-up is made for a literal, so the guard above never sees it. */
function refuseLiteral(url: URL, trust: Trust): void {
  const address = literalAddress(url.hostname);
  // A person who configured an address means that address.
  if (address === null || trust === "configured" || isReachable(address, trust)) return;
  throw failure("forbidden-address", "the address is private and was not configured", url.origin);
}

function refuseLocalName(url: URL, trust: Trust): void {
  if (trust === "configured" || !isLocalName(url.hostname)) return;
  throw failure("forbidden-address", "the host is local and was not configured", url.origin);
}

/** Rejects where there is no such name, or nobody to ask. */
export async function lookupWithSystem(hostname: string): Promise<readonly string[]> {
  const addresses = await systemLookup(hostname, { all: true, verbatim: true });
  return addresses.map(({ address }) => address);
}
