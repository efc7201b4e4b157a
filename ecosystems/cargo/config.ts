/** A registry's `config.json` (The Cargo Book, "Index Configuration"). */
import type { Source, UpstreamDocument } from "../ecosystem.ts";
import { prefixOf } from "./name.ts";

const MAX_BYTES = 256 * 1024;
const MARKER = /\{(crate|version|prefix|lowerprefix|sha256-checksum)\}/g;

/** One for all crates of an upstream. */
export const CONFIG_SOURCE: Source = Object.freeze({
  key: "config",
  upstream: "index",
  path: "config.json",
  accept: "application/json, */*",
  maxBytes: MAX_BYTES,
  required: false,
  expects: "json",
  shared: true,
  check: (document: UpstreamDocument) => void readConfig([document]),
});

export interface RegistryConfig {
  /** As upstream wrote it, with or without markers. */
  readonly dl: string;
  /** With a trailing slash; null: this registry has no web API. */
  readonly api: string | null;
}

/** What decides where one file is. */
export interface CrateFile {
  /** In the case that the index has it in. */
  readonly name: string;
  readonly version: string;
  /** SHA-256 in hex, as the index states it. */
  readonly cksum: string;
}

/** Throws SyntaxError where it is missing or cannot be read: without `dl` no file can be found. */
export function readConfig(documents: readonly UpstreamDocument[]): RegistryConfig {
  const document = documents.find(({ key }) => key === CONFIG_SOURCE.key);
  if (document === undefined || document.status !== 200) {
    throw new SyntaxError("Cannot read config.json: upstream has none");
  }
  const { dl, api } = membersOf(document);
  if (typeof dl !== "string") throw new SyntaxError("Cannot read config.json: dl is missing");
  checkAddress("dl", dl.replaceAll(MARKER, "x"));
  return { dl, api: typeof api === "string" ? apiRoot(api) : null };
}

/** Where this registry's web API is, with a trailing slash; null: it has none. Throws as `readConfig` does. */
export function apiOf(document: UpstreamDocument): string | null {
  return document.status === 404 ? null : readConfig([document]).api;
}

/** Without a marker, `/{crate}/{version}/download` is appended. */
export function downloadUrl({ dl }: RegistryConfig, file: CrateFile): string {
  const template = dl.search(MARKER) < 0 ? `${dl}/{crate}/{version}/download` : dl;
  const prefix = prefixOf(file.name);
  const values: Readonly<Record<string, string>> = {
    crate: file.name,
    version: file.version,
    prefix,
    lowerprefix: prefix.toLowerCase(),
    "sha256-checksum": file.cksum,
  };
  return template.replace(MARKER, (_, marker: string) => values[marker] ?? "");
}

function membersOf({ body }: UpstreamDocument): { readonly dl?: unknown; readonly api?: unknown } {
  const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: false }).decode(body));
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SyntaxError("Cannot read config.json: it is no object");
  }
  const members = new Map<string, unknown>(Object.entries(value));
  return { dl: members.get("dl"), api: members.get("api") };
}

function apiRoot(api: string): string {
  checkAddress("api", api);
  return api.endsWith("/") ? api : `${api}/`;
}

/** That its host is allowed is checked where it is asked. */
function checkAddress(member: string, text: string): void {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isPlain = url !== null && /^https?:$/.test(url.protocol) && url.username === "" &&
    url.password === "" && url.hash === "" && (member === "dl" || url.search === "");
  if (!isPlain) {
    throw new SyntaxError(
      `Cannot read config.json: ${member} ${JSON.stringify(text)} is no plain http address`,
    );
  }
}
