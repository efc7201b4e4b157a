/** Which requests go through the configured proxy. */
import ipaddr from "ipaddr.js";
import { literalAddress } from "./address.ts";
import type { NetworkConfig } from "./config.ts";

/** Whether this address is asked through the proxy. One's own machine never is, whatever `noProxy` says. */
export function usesProxy(url: URL, network: Pick<NetworkConfig, "proxy" | "noProxy">): boolean {
  if (network.proxy === null || isLoopback(url.hostname)) return false;
  return !network.noProxy.some((entry) => excludes(entry.trim().toLowerCase(), url));
}

function isLoopback(hostname: string): boolean {
  const address = literalAddress(hostname);
  if (address !== null) return ipaddr.process(address).range() === "loopback";
  return /^(.+\.)?localhost\.?$/i.test(hostname);
}

function excludes(entry: string, url: URL): boolean {
  if (entry === "*") return true;
  if (entry === "") return false;
  const address = literalAddress(url.hostname);
  if (entry.includes("/")) return address !== null && isWithin(address, entry);
  const [, host, port] = /^(\[[^\]]*\]|[^:]*|.*:.*:.*?)(?::(\d+))?$/.exec(entry) ?? [];
  if (host === undefined || host === "") return false;
  if (port !== undefined && port !== (url.port || (url.protocol === "https:" ? "443" : "80"))) return false;
  if (address !== null) return literalAddress(host) !== null && sameAddress(address, host);
  const name = url.hostname.toLowerCase().replace(/\.$/, "");
  const suffix = host.replace(/^\*?\./, "");
  return name === suffix || name.endsWith(`.${suffix}`);
}

function isWithin(address: string, range: string): boolean {
  if (!ipaddr.isValidCIDR(range)) return false;
  const parsed = ipaddr.process(address);
  const [network, bits] = ipaddr.parseCIDR(range);
  return parsed.kind() === network.kind() && parsed.match(network, bits);
}

function sameAddress(a: string, b: string): boolean {
  return ipaddr.process(a).toString() === ipaddr.process(literalAddress(b) ?? a).toString();
}
