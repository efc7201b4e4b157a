/** From a request to the one thing it asks for. */
import type { ArtifactAsk, Ask, ClientRequest, ForwardAsk, SidecarAsk } from "../ecosystem.ts";
import { prefersAbbreviated } from "./accept.ts";
import { encodePart, packumentPath, readName } from "./name.ts";
import { readSearch } from "./search.ts";
import { isVersionKey } from "./version.ts";

const MAX_AUDIT_BYTES = 16 * 1024 * 1024;
const MAX_KEYS_BYTES = 1024 * 1024;
const MAX_ATTESTATION_BYTES = 16 * 1024 * 1024;
const MAX_SEGMENT = 300;

/** null: no such route. Never throws. */
export function parse(request: ClientRequest): Ask | null {
  const { segments } = request;
  if (segments.length === 0 || segments.some((segment) => segment === "" || segment.length > MAX_SEGMENT)) {
    return null;
  }
  const reads = request.method === "GET" || request.method === "HEAD";
  if (segments[0] === "-") return reads ? readService(request) : writeService(request);
  const named = readName(segments);
  if (named === null) return null;
  const subject = { kind: "package", name: named.name } as const;
  if (!reads) return request.method === "POST" ? null : { kind: "publish", subject };
  const { rest } = named;
  if (rest.length === 0) {
    return {
      kind: "index",
      subject,
      variant: prefersAbbreviated(request.headers.get("accept")) ? "abbreviated" : "full",
    };
  }
  if (rest.length === 1) return readVersion(named.name, rest[0]!);
  return readTarball(named.name, rest);
}

/** npm resolves a URL dependency against the host's root and so loses the registry's path. */
export function parseAtRoot(request: ClientRequest): ArtifactAsk | null {
  if (request.method !== "GET" && request.method !== "HEAD") return null;
  const ask = parse(request);
  return ask?.kind === "artifact" ? ask : null;
}

function readVersion(name: string, version: string): Ask | null {
  if (version === "-" || version.includes("/")) return null;
  return { kind: "version", subject: { kind: "package", name }, version, variant: "manifest" };
}

/** `/-/{file}`; some registries repeat the scope, `/-/@scope/{file}`. */
function readTarball(name: string, rest: readonly string[]): ArtifactAsk | null {
  if (rest[0] !== "-") return null;
  const path = rest.slice(1).join("/");
  const scope = name.startsWith("@") ? name.slice(0, name.indexOf("/") + 1) : "";
  const filename = scope !== "" && path.startsWith(scope) ? path.slice(scope.length) : path;
  if (filename === "" || filename.includes("/")) return null;
  return { kind: "artifact", subject: { kind: "package", name }, filename };
}

function readService(request: ClientRequest): Ask | null {
  const path = request.segments.slice(1);
  switch (path.join("/")) {
    case "ping":
      return { kind: "local", variant: "ping" };
    case "whoami":
      return { kind: "local", variant: "whoami" };
    case "v1/search":
      return readSearch(request.query);
    case "npm/v1/keys":
      return forward("keys", "GET", MAX_KEYS_BYTES);
  }
  if (path[0] === "package") return readDistTags(path.slice(1));
  if (path[0] === "npm" && path[1] === "v1" && path[2] === "attestations") {
    return readAttestations(path.slice(3).join("/"));
  }
  return null;
}

function forward(endpoint: string, method: "GET" | "POST", maxBytes: number): ForwardAsk {
  const variant = endpoint.split("/").pop()!;
  return { kind: "forward", variant, upstream: "registry", method, path: `-/npm/v1/${endpoint}`, maxBytes };
}

function readDistTags(path: readonly string[]): Ask | null {
  const named = readName(path);
  if (named === null || named.rest.length !== 1 || named.rest[0] !== "dist-tags") return null;
  return { kind: "index", subject: { kind: "package", name: named.name }, variant: "dist-tags" };
}

/** `{name}@{version}`, the name in any spelling. */
function readAttestations(path: string): SidecarAsk | null {
  const at = path.lastIndexOf("@");
  const name = path.slice(0, at);
  const version = path.slice(at + 1);
  const named = at > 0 ? readName([name]) : null;
  if (named === null || named.rest.length > 0 || !isVersionKey(version)) return null;
  return {
    kind: "sidecar",
    subject: { kind: "package", name },
    filename: null,
    version,
    source: {
      key: `attestations ${version}`,
      upstream: "registry",
      path: `-/npm/v1/attestations/${packumentPath(name)}@${encodePart(version)}`,
      accept: "application/json",
      maxBytes: MAX_ATTESTATION_BYTES,
      required: true,
      expects: "json",
    },
  };
}

function writeService(request: ClientRequest): Ask | null {
  const path = request.segments.slice(1);
  if (request.method === "POST") {
    switch (path.join("/")) {
      case "npm/v1/security/advisories/bulk":
        return forward("security/advisories/bulk", "POST", MAX_AUDIT_BYTES);
      case "npm/v1/security/audits/quick":
        return forward("security/audits/quick", "POST", MAX_AUDIT_BYTES);
      case "npm/v1/security/audits":
        return forward("security/audits", "POST", MAX_AUDIT_BYTES);
    }
  }
  // Tags, access, trust and staged publishing all change a package: -/package/{name}/… and -/stage/package/{name}.
  const at = path[0] === "stage" ? 2 : 1;
  if (path[at - 1] !== "package") return null;
  const named = readName(path.slice(at));
  return named === null ? null : { kind: "publish", subject: { kind: "package", name: named.name } };
}
