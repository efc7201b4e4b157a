/** Lists of hosts that a person wrote down, compared as host and port. */
import { literalAddress } from "./address.ts";

/**
 * `host`, `host:port`, `[v6]:port` or a bare IPv6 address; `portless` says what a host without a port is: the scheme's
 * own, or any. Throws TypeError for what is none.
 */
export function compileHosts(
  entries: readonly string[],
  { portless = "own" }: { readonly portless?: "own" | "any" } = {},
): (url: URL) => boolean {
  const hosts = entries.map(parseEntry);
  return (url) => {
    const own = url.protocol === "https:" ? "443" : "80";
    return hosts.some(({ hostname, port }) => {
      if (hostname !== url.hostname) return false;
      return port === null && portless === "any" || (port ?? own) === (url.port || own);
    });
  };
}

function parseEntry(entry: string): { readonly hostname: string; readonly port: string | null } {
  const isBareV6 = !entry.startsWith("[") && entry.includes(":") && literalAddress(entry) !== null;
  const text = isBareV6 ? `[${entry}]` : entry;
  const port = /:(\d{1,5})$/.exec(text)?.[1] ?? null;
  const host = port === null ? text : text.slice(0, -port.length - 1);
  const url = URL.canParse(`http://${host}/`) ? new URL(`http://${host}/`) : null;
  if (
    url === null || url.host !== url.hostname || url.pathname !== "/" || url.username !== "" ||
    url.search !== ""
  ) {
    throw new TypeError(`Cannot use "${entry}" as a host: expected host or host:port`);
  }
  return { hostname: url.hostname, port: port === null ? null : String(Number(port)) };
}
