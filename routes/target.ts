/** The one parse of a request: router and authoriser share what it answers. */
import { createHostTable, type HostTable, isOrganisationId, matchHost } from "./host.ts";
import { MAX_TARGET_LENGTH, readPath, readQuery } from "./path.ts";

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
  /** null where it came in at the root of the host: which ecosystem it is, `parseAtRoot` says. */
  readonly ecosystem: string | null;
  /** Below the ecosystem's mount; see `ClientRequest.segments`. */
  readonly segments: readonly string[];
  readonly atRoot: boolean;
}

/** Our own pages: `/`, `/health` and everything under `/-/`. */
export interface SiteTarget extends Admitted {
  readonly kind: "site";
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

/** What `admit` compares with, worked out once by `createPlace`. */
export interface Place {
  readonly hosts: HostTable;
  /** The base address's own path, as segments: stripped where a front proxy left it. */
  readonly prefix: readonly string[];
  readonly ecosystems: ReadonlySet<string>;
}

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "DELETE"]);
/** First segments that no ecosystem may be called. */
const RESERVED: ReadonlySet<string> = new Set(["-", "o", "t", "at", "health", ""]);

/** Throws TypeError if an ecosystem's id would shadow one of our own paths. */
export function createPlace(options: {
  readonly base: URL;
  /** Further authorities that are ours, from `loopbackHosts`. */
  readonly hosts: readonly string[];
  readonly ecosystems: Iterable<string>;
}): Place {
  const ecosystems = new Set(options.ecosystems);
  for (const id of ecosystems) {
    if (RESERVED.has(id)) throw new TypeError(`Cannot mount ecosystem "${id}": the path is Sluice's own`);
  }
  const prefix = options.base.pathname.split("/").filter((segment) => segment !== "");
  return { hosts: createHostTable(options.base, options.hosts), prefix, ecosystems };
}

/**
 * Deno builds `request.url` from scheme, raw Host and raw target without normalising: all three are checked here,
 * and nothing after this looks at the URL again.
 */
export function admit(request: Request, place: Place): Target | Rejection {
  if (!METHODS.has(request.method)) {
    return reject(405, "method-not-allowed", "Sluice answers GET, HEAD, POST, PUT and DELETE.");
  }
  const split = splitUrl(request);
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
    method: request.method as Method,
    query: query.query,
    segments: withoutPrefix(path.segments, place),
  };
  if (host.kind === "unknown") return atUnknownHost(parsed);
  return route(parsed, host.label, place);
}

interface Parsed {
  readonly method: Method;
  readonly query: URLSearchParams;
  readonly segments: readonly string[];
}

/**
 * The authority and what follows it. WARNING: `Host: x/o/evil/npm?` moves the path, userinfo moves the host, and an
 * absolute-form target replaces Host: so the URL must begin with exactly the Host that was sent, and a `/`.
 */
function splitUrl(request: Request): { readonly host: string; readonly target: string } | null {
  const url = request.url;
  const start = url.startsWith("http://") ? 7 : url.startsWith("https://") ? 8 : -1;
  if (start === -1) return null;
  const slash = url.indexOf("/", start);
  if (slash === -1) return null;
  const authority = url.slice(start, slash);
  const host = request.headers.get("host");
  // HTTP/1.0 and HTTP/2 come without Host: then the target (or :authority) is the only one that speaks.
  if (host !== null && host !== authority) return null;
  return { host: authority, target: url.slice(slash) };
}

function withoutPrefix(segments: readonly string[], place: Place): readonly string[] {
  if (place.prefix.length === 0) return segments;
  const matches = place.prefix.every((segment, index) => segments[index] === segment);
  if (!matches) return segments;
  const rest = segments.slice(place.prefix.length);
  return rest.length === 0 ? [""] : rest;
}

/** Probes come to whatever address they know; nothing else is answered there. */
function atUnknownHost(parsed: Parsed): Target | Rejection {
  const { segments } = parsed;
  const isHealth = (segments.length === 1 && segments[0] === "health") ||
    (segments.length === 2 && segments[0] === "-" && segments[1] === "health");
  if (isHealth) return site(parsed, { organisation: null, by: null, segments });
  return reject(
    404,
    "unknown-host",
    "Sluice does not answer at this address: set its base address (--base-url) to the one that clients use.",
  );
}

function route(parsed: Parsed, label: string | null, place: Place): Target | Rejection {
  const named = organisationOf(parsed.segments, label);
  if ("kind" in named) return named;
  const { segments } = named;
  const first = segments[0] ?? "";
  if (first === "" || first === "-") return site(parsed, named);
  if (first === "health" && segments.length === 1 && !named.inPath) return site(parsed, named);
  const common = { kind: "registry", method: parsed.method, query: parsed.query, ...owner(named) } as const;
  if (place.ecosystems.has(first)) {
    return { ...common, ecosystem: first, segments: segments.slice(1), atRoot: false };
  }
  if (!named.inPath && isRootArtifact(segments)) {
    return { ...common, ecosystem: null, segments, atRoot: true };
  }
  return reject(404, "no-such-route", "There is nothing here. GET / lists what is.");
}

interface Named {
  readonly organisation: string | null;
  readonly by: "label" | "path" | null;
  readonly inPath: boolean;
  readonly segments: readonly string[];
}

function organisationOf(segments: readonly string[], label: string | null): Named | Rejection {
  const by = label === null ? null : "label";
  if (segments[0] !== "o") return { organisation: label, by, inPath: false, segments };
  const named = segments[1] ?? "";
  if (!isOrganisationId(named)) return reject(404, "no-such-organisation", "There is no such organisation.");
  if (label !== null && label !== named) {
    return reject(400, "organisations-disagree", "Host name and path name two different organisations.");
  }
  const rest = segments.slice(2);
  return { organisation: named, by: by ?? "path", inPath: true, segments: rest.length === 0 ? [""] : rest };
}

/** `/{package}/-/{file}`: what a client asks that lost its registry's prefix. The plugin decides what it is. */
function isRootArtifact(segments: readonly string[]): boolean {
  const dash = segments.indexOf("-");
  return dash >= 1 && dash <= 2 && dash === segments.length - 2 && segments.at(-1) !== "";
}

function owner(named: Pick<Named, "organisation" | "by">) {
  return { organisation: named.organisation, by: named.by };
}

function site(parsed: Parsed, named: Pick<Named, "organisation" | "by" | "segments">): SiteTarget {
  return {
    kind: "site",
    method: parsed.method,
    query: parsed.query,
    ...owner(named),
    path: `/${named.segments.map(encodeURIComponent).join("/")}`,
    segments: named.segments,
  };
}

function reject(status: Rejection["status"], code: string, message: string): Rejection {
  return { kind: "rejection", status, code, message };
}
