/** Which addresses an upstream's requests may begin at, and what of ours goes with them. */
import type { UpstreamConfig, UpstreamCredentials } from "./config.ts";
import { failure } from "./failures.ts";
import type { Layer } from "./upstream.ts";
import type { Trust } from "./address.ts";
import { compileHosts } from "./hosts.ts";

/** An upstream's own origin and the hosts beside it, compiled once. */
export interface OriginRules {
  /** The upstream's own origin, or one of its allowed hosts. */
  isConfigured(url: URL): boolean;
  /** Own origin and below the root's path (or one of `credentialPaths`): there, and only there, credentials go. */
  carriesCredentials(url: URL): boolean;
  trustOf(url: URL): Trust;
  readonly credentialHeader: readonly [name: string, value: string] | null;
}

/** Throws TypeError for credentials that cannot be a header; the message does not show them. */
export function compileOrigins(config: UpstreamConfig): OriginRules {
  const root = new URL(config.url);
  const isAllowed = compileHosts(config.allowedHosts);
  const credentialPaths = [root.pathname, ...(config.credentialPaths ?? [])]
    .map((path) => path.endsWith("/") ? path : `${path}/`);

  function isConfigured(url: URL): boolean {
    if (url.origin === root.origin) return true;
    if (url.protocol !== "https:" && url.protocol !== root.protocol) return false;
    return isAllowed(url);
  }

  // WARNING: compared as origins and whole path segments, never by prefix of the text: "registry.example" must not
  // match "registry.example.evil.test", nor "/npm/" match "/npm-other/".
  function carriesCredentials(url: URL): boolean {
    if (url.origin !== root.origin || !isPlainPath(url.pathname)) return false;
    return credentialPaths.some((path) => url.pathname.startsWith(path) || `${url.pathname}/` === path);
  }

  return {
    isConfigured,
    carriesCredentials,
    trustOf: (url) => isConfigured(url) ? "configured" : "named",
    credentialHeader: toHeader(config),
  };
}

/** Admits the first address of a request, and puts user agent and (where they belong) credentials on it. */
export function originsLayer(rules: OriginRules, userAgent: string): Layer {
  return (next) => async (request) => {
    const url = new URL(request.url);
    if (!rules.isConfigured(url)) {
      throw failure(
        "forbidden-address",
        "this host is neither the upstream's nor one of its allowedHosts",
        url.origin,
      );
    }
    if (!isPlainPath(url.pathname)) {
      throw failure(
        "forbidden-address",
        "the path has an encoded dot segment, backslash or control byte",
        url.origin,
      );
    }
    const headers = new Headers(request.headers);
    headers.set("user-agent", userAgent);
    if (rules.credentialHeader !== null && rules.carriesCredentials(url)) {
      headers.set(...rules.credentialHeader);
    }
    return await next(new Request(request, { headers }));
  };
}

/** Whether a server that decodes the path before it reads it would see the same segments. */
function isPlainPath(pathname: string): boolean {
  let decoded: string;
  try {
    decoded = decodeURIComponent(pathname);
  } catch {
    return false;
  }
  // deno-lint-ignore no-control-regex -- control bytes are what is looked for
  if (/[\x00-\x1f\x7f\\]/.test(decoded)) return false;
  return !decoded.split("/").some((segment) => segment === "." || segment === "..");
}

function toHeader(config: UpstreamConfig): readonly [string, string] | null {
  if (config.credentials === null) return null;
  const header = credentialHeader(config.credentials);
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(header[0]) || !/^[\x20-\x7e]*$/.test(header[1])) {
    throw new TypeError(`Cannot use the credentials for "${config.url}": they do not fit into a header`);
  }
  return header;
}

function credentialHeader(credentials: UpstreamCredentials): readonly [string, string] {
  if (credentials.kind === "header") return [credentials.name.toLowerCase(), credentials.value];
  if (credentials.kind === "bearer") return ["authorization", `Bearer ${credentials.token}`];
  const bytes = new TextEncoder().encode(`${credentials.username}:${credentials.password}`);
  return ["authorization", `Basic ${btoa(String.fromCharCode(...bytes))}`];
}
