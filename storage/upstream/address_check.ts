/** Whether anything would ever be sent to an address, before it is: what the guarded client refuses, without asking. */
import type { Timers } from "../runtime.ts";
import { isLocalName, isReachable, literalAddress, type Trust } from "./address.ts";
import type { NetworkConfig } from "./config.ts";
import { type LookupAll, lookupWithSystem } from "./dispatcher.ts";
import { usesProxy } from "./proxy.ts";

/**
 * `forbidden`: nothing would be sent, since it leads to private addresses alone, carries credentials or is no http or
 * https address; `unknown`: its name cannot be resolved now. Never rejects.
 */
export type AddressCheck = (address: string) => Promise<"fit" | "forbidden" | "unknown">;

const LOOKUP_MS = 3_000;

export function createAddressCheck(deps: {
  readonly network: NetworkConfig;
  readonly timers: Timers;
  readonly trustOf: (url: URL) => Trust;
  /** Default: the system's resolver. */
  readonly lookup?: LookupAll;
}): AddressCheck {
  const { network, timers, trustOf, lookup = lookupWithSystem } = deps;

  async function resolved(hostname: string): Promise<readonly string[]> {
    const done = new AbortController();
    const late = timers.sleep(LOOKUP_MS, done.signal).then(() => [], () => []);
    try {
      return await Promise.race([lookup(hostname).catch(() => []), late]);
    } finally {
      done.abort();
    }
  }

  return async (address) => {
    const url = URL.parse(address);
    if (url === null || !/^https?:$/.test(url.protocol)) return "forbidden";
    if (url.username !== "" || url.password !== "") return "forbidden";
    const trust = trustOf(url);
    if (trust === "configured") return "fit";
    const literal = literalAddress(url.hostname);
    if (literal !== null) return isReachable(literal, trust) ? "fit" : "forbidden";
    // The proxy resolves names, and guards what they lead to.
    if (usesProxy(url, network)) return isLocalName(url.hostname) ? "forbidden" : "fit";
    const addresses = await resolved(url.hostname);
    if (addresses.length === 0) return "unknown";
    return addresses.some((each) => isReachable(each, trust)) ? "fit" : "forbidden";
  };
}
