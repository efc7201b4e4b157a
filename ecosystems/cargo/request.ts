/** From a request to the one thing it asks for. */
import type { ArtifactAsk, Ask, ClientRequest, Source } from "../ecosystem.ts";
import { canonicalName, crateFilename, indexPath, isCrateName } from "./name.ts";
import { apiSource, readSearch } from "./api.ts";
import { isVersionText } from "./version.ts";

const API = ["api", "v1", "crates"] as const;
const CRATE_SUFFIX = ".crate";

/** null: no such route. Never throws. */
export function parse(request: ClientRequest): Ask | null {
  const { segments } = request;
  if (segments.some((segment) => segment === "" || segment.includes("/"))) return null;
  const reads = request.method === "GET" || request.method === "HEAD";
  if (API.every((word, index) => segments[index] === word)) {
    const rest = segments.slice(API.length);
    return reads ? readApi(rest, request.query) : writeApi(request.method, rest);
  }
  return reads ? readIndex(segments) : null;
}

function readIndex(segments: readonly string[]): Ask | null {
  if (segments.length === 1 && segments[0] === "config.json") return { kind: "local", variant: "config" };
  const name = segments.at(-1) ?? "";
  if (!isCrateName(name) || segments.length < 2) return null;
  const subject = { kind: "package", name: canonicalName(name) } as const;
  const isItsPlace = segments.join("/").toLowerCase() === indexPath(subject.name);
  return isItsPlace ? { kind: "index", subject, variant: "index" } : null;
}

/** What follows `api/v1/crates`. */
function readApi(rest: readonly string[], query: URLSearchParams): Ask | null {
  const [name, second, third, ...more] = rest;
  if (name === undefined) return readSearch(query);
  if (!isCrateName(name) || more.length > 0) return null;
  const subject = { kind: "package", name: canonicalName(name) } as const;
  // One document for all of them: made-up versions must not become requests upstream.
  const also: readonly Source[] = [apiSource(subject.name, "crate")];
  if (second === undefined) return { kind: "index", subject, variant: "crate", also };
  if (third === undefined) {
    if (second === "versions") return { kind: "index", subject, variant: "versions", also };
    if (second.endsWith(CRATE_SUFFIX)) return readFile(name, second);
    if (!isVersionText(second)) return null;
    return { kind: "version", subject, version: second, variant: "version", also };
  }
  if (!isVersionText(second)) return null;
  if (third === "download") return artifact(subject.name, second);
  if (third !== "dependencies") return null;
  const source = apiSource(`${subject.name}/${second}/dependencies`, "dependencies");
  return { kind: "sidecar", subject, filename: null, version: second, source };
}

function artifact(name: string, version: string): ArtifactAsk {
  return { kind: "artifact", subject: { kind: "package", name }, filename: crateFilename(name, version) };
}

/** `{crate}-{version}.crate`, as file servers of registries have it. */
function readFile(name: string, file: string): ArtifactAsk | null {
  const version = file.slice(name.length + 1, -CRATE_SUFFIX.length);
  const isOwn = file.toLowerCase().startsWith(`${name.toLowerCase()}-`) && isVersionText(version);
  return isOwn ? artifact(canonicalName(name), version) : null;
}

/** Publishing, yanking, owners (The Cargo Book, "Web API"). */
function writeApi(method: string, [name, second, third, ...more]: readonly string[]): Ask | null {
  if (name === undefined || more.length > 0) return null;
  if (name === "new" && second === undefined) {
    return method === "PUT" ? { kind: "publish", subject: null } : null;
  }
  if (!isCrateName(name)) return null;
  const changes = `${method} ${third === undefined ? second : third}`;
  const subject = { kind: "package", name: canonicalName(name) } as const;
  return WRITES.has(changes) ? { kind: "publish", subject } : null;
}

const WRITES: ReadonlySet<string> = new Set(["DELETE yank", "PUT unyank", "PUT owners", "DELETE owners"]);
