/** The one parse of a request: router and authoriser share what it answers. */
import { createHostTable, type HostTable, matchHost } from "./host.ts";
import { MAX_TARGET_LENGTH, readPath, readQuery } from "./path.ts";
import { remember } from "./remember.ts";
import { reject, route, routeAtUnknownHost } from "./route.ts";

/** Methods that anything here answers; the rest ends before its target is looked at. */
export type Method = "GET" | "HEAD" | "POST" | "PUT" | "DELETE";

interface Admitted {
  readonly method: Method;
  /** As the host label or `/o/{organisation}` names it; null: neither does. */
  readonly organisation: string | null;
  /** How it was named: a label's links are below that host, a path's below `/o/`. */
  readonly by: "label" | "path" | null;
  readonly query: URLSearchParams;
}

export interface RegistryTarget extends Admitted {
  readonly kind: "registry";
  /** null where it came in at the root of the host: which ecosystem it is, those mounted there and `parseAtRoot` say. */
  readonly ecosystem: string | null;
  /** Below the root of the host, where ecosystems are mounted there; else null. */
  readonly rootSegments: readonly string[] | null;
  /** What stood behind `/t/`: a token for clients that can send no header; null: nothing did. */
  readonly pathToken: string | null;
  /** What stood behind `/at/`, unread: a past instant or a snapshot's name; null: nothing did. */
  readonly at: string | null;
  /** Below the ecosystem's mount; see `ClientRequest.segments`. */
  readonly segments: readonly string[];
  readonly atRoot: boolean;
}

/** Our own pages: `/`, `/health` and everything under `/-/`. */
export interface SiteTarget extends Admitted {
  readonly kind: "site";
  /** As for a registry; of why pages alone. */
  readonly at: string | null;
  /** Canonical, for the router: each segment encoded once again, below `/o/{organisation}`. */
  readonly path: string;
  /** Decoded, as in `path`. */
  readonly segments: readonly string[];
}

export type Target = RegistryTarget | SiteTarget;

/** A request that goes no further. The message quotes nothing of the request. */
export interface Rejection {
  readonly kind: "rejection";
  readonly status: 400 | 404 | 405 | 414;
  readonly code: string;
  readonly message: string;
}

/** What an address is compared with, worked out once by `createPlace`. */
export interface Place {
  readonly hosts: HostTable;
  /** The base address's own path, as segments: stripped where a front proxy left it. */
  readonly prefix: readonly string[];
  readonly ecosystems: ReadonlySet<string>;
  /** Ecosystems answer at the root of a host as well. */
  readonly hasRootMounts: boolean;
}

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "DELETE"]);
/** First segments that no ecosystem may be called. */
const RESERVED: ReadonlySet<string> = new Set(["-", "o", "t", "at", "health", "stats", ""]);

/** Throws TypeError if an ecosystem's id would shadow one of our own paths. */
export function createPlace(options: {
  readonly base: URL;
  /** Further authorities that are ours, from `loopbackHosts`. */
  readonly hosts: readonly string[];
  readonly ecosystems: Iterable<string>;
  readonly hasRootMounts?: boolean;
}): Place {
  const ecosystems = new Set(options.ecosystems);
  for (const id of ecosystems) {
    if (RESERVED.has(id)) throw new TypeError(`Cannot mount ecosystem "${id}": the path is Sluice's own`);
  }
  const prefix = options.base.pathname.split("/").filter((segment) => segment !== "");
  const hosts = createHostTable(options.base, options.hosts);
  return { hosts, prefix, ecosystems, hasRootMounts: options.hasRootMounts ?? false };
}

/** What a request is admitted by, as it was sent. */
interface Raw {
  readonly method: string;
  readonly url: string;
  /** null: none was sent. */
  readonly host: string | null;
}

/**
 * What a request names, or why it goes no further. What the last thousand addresses were admitted as is kept:
 * method, URL and Host are all that it depends on.
 */
export function createAdmission(place: Place): (request: Request) => Target | Rejection {
  // None of the three can hold the separator.
  const admitText = remember((text) => {
    const [method = "", url = "", host = null] = text.split("\n");
    return admit({ method, url, host }, place);
  });

  return function admitted({ method, url, headers }) {
    const host = headers.get("host");
    return admitText(host === null ? `${method}\n${url}` : `${method}\n${url}\n${host}`);
  };
}

/**
 * Deno builds `request.url` from scheme, raw Host and raw target without normalising: all three are checked here,
 * and nothing after this looks at the URL again.
 */
function admit(raw: Raw, place: Place): Target | Rejection {
  if (!METHODS.has(raw.method)) {
    return reject(405, "method-not-allowed", "Sluice answers GET, HEAD, POST, PUT and DELETE.");
  }
  const split = splitUrl(raw);
  if (split === null) {
    return reject(400, "malformed-target", "The request's target and its Host header do not agree.");
  }
  const host = matchHost(split.host, place.hosts);
  if (host.kind === "malformed") return reject(400, "malformed-host", "The Host header is not a host.");
  if (split.target.length > MAX_TARGET_LENGTH) {
    return reject(
      414,
      "target-too-long",
      `The request's target is longer than ${MAX_TARGET_LENGTH} characters.`,
    );
  }
  const mark = split.target.indexOf("?");
  const path = readPath(mark === -1 ? split.target : split.target.slice(0, mark));
  if (!path.ok) return reject(400, "malformed-path", `Cannot read the request: ${path.why}.`);
  const query = readQuery(mark === -1 ? "" : split.target.slice(mark + 1));
  if (!query.ok) return reject(400, "malformed-query", `Cannot read the request: ${query.why}.`);

  const parsed = {
    method: raw.method as Method,
    query: query.query,
    segments: path.segments,
  };
  if (host.kind === "unknown") return routeAtUnknownHost(parsed, place);
  return route(parsed, host.label, place);
}

/**
 * The authority and what follows it. WARNING: `Host: x/o/evil/npm?` moves the path, userinfo moves the host, and an
 * absolute-form target replaces Host: so the URL must begin with exactly the Host that was sent, and a `/`.
 */
function splitUrl({ url, host }: Raw): { readonly host: string; readonly target: string } | null {
  const start = url.startsWith("http://") ? 7 : url.startsWith("https://") ? 8 : -1;
  if (start === -1) return null;
  const slash = url.indexOf("/", start);
  if (slash === -1) return null;
  const authority = url.slice(start, slash);
  // HTTP/1.0 and HTTP/2 come without Host: then the target (or :authority) is the only one that speaks.
  if (host !== null && host !== authority) return null;
  return { host: authority, target: url.slice(slash) };
}
