/** From decoded segments to what they name: an organisation, a registry, a page of ours. */
import { holdsToken, looksLikeToken } from "../storage/tokens.ts";
import { isOrganisationId } from "./host.ts";
import type { Method, Place, Rejection, SiteTarget, Target } from "./target.ts";

/** A request whose path and query were read. */
export interface Parsed {
  readonly method: Method;
  readonly query: URLSearchParams;
  readonly segments: readonly string[];
}

function withoutPrefix(segments: readonly string[], place: Place): readonly string[] {
  if (place.prefix.length === 0) return segments;
  const matches = place.prefix.every((segment, index) => segments[index] === segment);
  if (!matches) return segments;
  const rest = segments.slice(place.prefix.length);
  return rest.length === 0 ? [""] : rest;
}

/** Probes come to whatever address they know; nothing else is answered there. */
export function routeAtUnknownHost(parsed: Parsed, place: Place): Target | Rejection {
  const segments = withoutPrefix(parsed.segments, place);
  const isProbe = (segments.length === 1 && segments[0] === "health") ||
    (segments.length === 2 && segments[0] === "-" && PROBES.has(segments[1]!));
  if (isProbe) return site(parsed, { organisation: null, by: null, segments });
  return reject(
    404,
    "unknown-host",
    "Sluice does not answer at this address: set its base address (--base-url) to the one that clients use.",
  );
}

const PROBES: ReadonlySet<string> = new Set(["health", "ready", "metrics"]);

/** What is ours under `/-/`, whatever is mounted at the root of the host. */
const OURS: ReadonlySet<string> = new Set(
  "admin api auth health metrics ready schema setup setup.ps1 setup.sh static stats style.css why".split(" "),
);

/** Of a request to an address of ours; `label` is what precedes the base's host. */
export function route(parsed: Parsed, label: string | null, place: Place): Target | Rejection {
  const whole = withoutPrefix(parsed.segments, place);
  const named = organisationOf(whole, label, place);
  if ("kind" in named) return named;
  const { pathToken, segments: below } = pathTokenOf(named.segments, place);
  // WARNING: as a package's name or a search it would go upstream, and be written down on the way.
  if (below.some(holdsToken) || parsed.query.values().some(holdsToken)) return TOKEN_IN_ADDRESS;
  const { at, segments } = atOf(below, place);
  const isEcosystem = place.ecosystems.has(segments[0] ?? "");
  if (pathToken !== null && !isEcosystem) {
    return reject(404, "no-such-route", "A token in an address is followed by an ecosystem.");
  }
  if (at !== null && !isEcosystem) {
    if (segments[0] === "-" && segments[1] === "why") return site(parsed, { ...named, segments }, at);
    return reject(404, "no-such-route", "An instant in an address is followed by an ecosystem.");
  }
  const isPlain = pathToken === null && at === null;
  const rootSegments = place.hasRootMounts && !named.inPath && isPlain ? segments : null;
  if (isOurs(named, rootSegments !== null)) return site(parsed, named);
  const first = segments[0] ?? "";
  const common = {
    kind: "registry",
    method: parsed.method,
    query: parsed.query,
    rootSegments,
    pathToken,
    at,
    ...owner(named),
  } as const;
  if (place.ecosystems.has(first)) {
    return { ...common, ecosystem: first, segments: segments.slice(1), atRoot: false };
  }
  if (rootSegments !== null || (!named.inPath && isRootArtifact(segments))) {
    return { ...common, ecosystem: null, segments, atRoot: true };
  }
  return reject(404, "no-such-route", "There is nothing here. GET / lists what is.");
}

const TOKEN_IN_ADDRESS = reject(
  400,
  "token-in-address",
  "A token stands in this address, where it may have been written down: revoke it, and send the next in a header.",
);

/** `/t/{token}/…`. At the root of a host there may be a package called `t`: only what looks like a token is one. */
function pathTokenOf(
  segments: readonly string[],
  place: Place,
): { readonly pathToken: string | null; readonly segments: readonly string[] } {
  const [first, secret = ""] = segments;
  const none = { pathToken: null, segments };
  if (first !== "t" || secret === "" || (place.hasRootMounts && !looksLikeToken(secret))) return none;
  return { pathToken: secret, segments: segments.slice(2) };
}

/**
 * `/at/{instant}/…`. A package may be called `at`: of one whose prefix was lost, or at the root of a host, only what
 * leads to an ecosystem's mount or a why page is an instant. (Cargo's `/at/om/atomic` ends in a crate's name that
 * begins with `at`, which no ecosystem's does.)
 */
function atOf(
  segments: readonly string[],
  place: Place,
): { readonly at: string | null; readonly segments: readonly string[] } {
  const [first, text = "", next = ""] = segments;
  const none = { at: null, segments };
  if (first !== "at" || text === "" || text === "-") return none;
  if (place.hasRootMounts && !place.ecosystems.has(next) && next !== "-") return none;
  return { at: text, segments: segments.slice(2) };
}

/** With ecosystems at the root, only what is ours under `/-/`, and the welcome page. */
function isOurs({ segments, inPath }: Named, hasRoot: boolean): boolean {
  const [first = "", second = ""] = segments;
  if (first === "") return segments.length === 1;
  if (first === "-") return !hasRoot || OURS.has(second);
  if (segments.length !== 1 || hasRoot) return false;
  return first === "stats" || (first === "health" && !inPath);
}

interface Named {
  readonly organisation: string | null;
  readonly by: "label" | "path" | null;
  readonly inPath: boolean;
  readonly segments: readonly string[];
}

function organisationOf(
  segments: readonly string[],
  label: string | null,
  place: Place,
): Named | Rejection {
  const by = label === null ? null : "label";
  const none = { organisation: label, by, inPath: false, segments } as const;
  if (segments[0] !== "o") return none;
  const named = segments[1] ?? "";
  if (holdsToken(named)) return TOKEN_IN_ADDRESS;
  // At the root of a host there may be a package of that name: `/o`, `/o/-/o-1.0.0.tgz`.
  if (!isOrganisationId(named) && place.hasRootMounts) return none;
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

function site(
  parsed: Parsed,
  named: Pick<Named, "organisation" | "by" | "segments">,
  at: string | null = null,
): SiteTarget {
  return {
    kind: "site",
    at,
    method: parsed.method,
    query: parsed.query,
    ...owner(named),
    path: `/${named.segments.map(encodeURIComponent).join("/")}`,
    segments: named.segments,
  };
}

/** The message quotes nothing of the request. */
export function reject(status: Rejection["status"], code: string, message: string): Rejection {
  return { kind: "rejection", status, code, message };
}
