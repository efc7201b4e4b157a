/** A simple page, read from either of its forms into the one that PyPA's JSON has. */
import type { UpstreamDocument } from "../ecosystem.ts";
import { readTags, type Tag } from "./html.ts";
import { normaliseName } from "./name.ts";

/** One file as upstream lists it. */
export interface PageFile {
  readonly filename: string;
  /** Absolute, without credentials and fragment. */
  readonly url: string;
  /** As upstream has it, with whatever else it says; of an HTML page made from the attributes. */
  readonly entry: Readonly<Record<string, unknown>>;
}

export interface Page {
  /** No two of one name. */
  readonly files: readonly PageFile[];
  /** As upstream lists them; null: it does not. */
  readonly versions: readonly string[] | null;
  /** `1.1`; HTML pages have dates and sizes only where somebody added them. */
  readonly apiVersion: string;
  readonly isHtml: boolean;
  /** `active` where upstream says nothing. */
  readonly status: string;
  readonly statusReason: string | null;
  /** The whole of upstream's document; of an HTML page what its `meta` tags say. */
  readonly fields: Readonly<Record<string, unknown>>;
}

const HTML_TAGS: ReadonlySet<string> = new Set(["a", "base", "meta"]);
const FILES_PER_SLICE = 500;

/**
 * Throws SyntaxError where it cannot be read, is of a later major version, or names another project. `undefined`
 * is a point at which to pause.
 */
export function* readPage(name: string, document: UpstreamDocument): Generator<undefined, Page> {
  if (isJson(document)) return yield* readJsonPage(name, document);
  return yield* readHtmlPage(name, document);
}

/** By what it says it is, else by how it begins. */
export function isJson(document: UpstreamDocument): boolean {
  if (/json/i.test(document.contentType)) return true;
  if (/html/i.test(document.contentType)) return false;
  return document.body.find((byte) => byte > 0x20) === 0x7b;
}

function* readJsonPage(name: string, document: UpstreamDocument): Generator<undefined, Page> {
  const label = `simple page ${JSON.stringify(name)}`;
  const fields = parseObject(document.body, label);
  yield undefined;
  const own = fields.name;
  if (own !== undefined && (typeof own !== "string" || normaliseName(own) !== name)) {
    throw new SyntaxError(`Cannot read ${label}: its name is ${JSON.stringify(own)}`);
  }
  if (!Array.isArray(fields.files)) throw new SyntaxError(`Cannot read ${label}: files is missing`);
  const meta = isRecord(fields.meta) ? fields.meta : {};
  const files: PageFile[] = [];
  const seen = new Set<string>();
  for (const [index, entry] of fields.files.entries()) {
    if (index % FILES_PER_SLICE === FILES_PER_SLICE - 1) yield undefined;
    if (!isRecord(entry) || typeof entry.url !== "string") continue;
    addFile({ files, seen, base: document.url }, entry.url, entry, entry.filename);
  }
  const { versions } = fields;
  return {
    files,
    versions: Array.isArray(versions) ? versions.filter((version) => typeof version === "string") : null,
    apiVersion: apiVersionOf(meta["api-version"], label),
    isHtml: false,
    // The specification's own example shows it under `meta`.
    ...statusOf(isRecord(fields["project-status"]) ? fields["project-status"] : meta["project-status"]),
    fields,
  };
}

/** Throws SyntaxError for what is no JSON object. */
export function parseObject(body: Uint8Array, label: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(body));
  } catch (cause) {
    throw new SyntaxError(`Cannot read ${label}: it is no JSON`, { cause });
  }
  if (!isRecord(value)) throw new SyntaxError(`Cannot read ${label}: it is no object`);
  return value;
}

/** An object with members of its own: one that JSON made, whose keys may be any. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A later major version would mean something else (PyPA, "Versioning PyPI's Simple API"). */
function apiVersionOf(value: unknown, label: string): string {
  if (value === undefined) return "1.0";
  if (typeof value === "string" && /^1\.\d{1,4}$/.test(value)) return value;
  throw new SyntaxError(`Cannot read ${label}: its API version is ${JSON.stringify(value)}`);
}

function statusOf(value: unknown): Pick<Page, "status" | "statusReason"> {
  const isObject = isRecord(value);
  const status = isObject ? value.status : value;
  const reason = isObject ? value.reason : null;
  return {
    status: typeof status === "string" ? status : "active",
    statusReason: typeof reason === "string" ? reason.slice(0, 500) : null,
  };
}

interface Collected {
  readonly files: PageFile[];
  readonly seen: Set<string>;
  readonly base: string;
}

/**
 * pip takes a file's name from its address, uv from `filename`: where they differ, nobody can say what would be
 * installed, and the file is left out.
 */
function addFile(
  { files, seen, base }: Collected,
  link: string,
  entry: Readonly<Record<string, unknown>>,
  stated: unknown,
): void {
  const url = URL.parse(link, base);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) return;
  const filename = lastSegment(url.pathname);
  if (filename === null || (stated !== undefined && stated !== filename) || seen.has(filename)) return;
  seen.add(filename);
  url.username = "";
  url.password = "";
  url.hash = "";
  files.push({ filename, url: url.href, entry });
}

function lastSegment(pathname: string): string | null {
  try {
    return decodeURIComponent(pathname.slice(pathname.lastIndexOf("/") + 1));
  } catch {
    return null;
  }
}

function* readHtmlPage(name: string, document: UpstreamDocument): Generator<undefined, Page> {
  const label = `simple page ${JSON.stringify(name)}`;
  const html = new TextDecoder().decode(document.body);
  const metas = new Map<string, string>();
  const collected = { files: [] as PageFile[], seen: new Set<string>(), base: document.url };
  let count = 0;
  for (const tag of readTags(html, HTML_TAGS)) {
    if (++count % FILES_PER_SLICE === 0) yield undefined;
    const { attributes } = tag;
    if (tag.name === "a") addAnchor(collected, tag);
    else if (tag.name === "meta") metas.set(attributes.get("name") ?? "", attributes.get("content") ?? "");
    else if (collected.files.length === 0) {
      collected.base = URL.parse(attributes.get("href") ?? "", document.url)?.href ?? collected.base;
    }
  }
  const reason = metas.get("pypi:project-status-reason");
  return {
    files: collected.files,
    versions: null,
    apiVersion: apiVersionOf(metas.get("pypi:repository-version"), label),
    isHtml: true,
    status: metas.get("pypi:project-status") ?? "active",
    statusReason: reason ?? null,
    fields: {},
  };
}

/** PEP 503, 592, 658, 714 and 740; `data-upload-time` is in none of them, but mirrors have it. */
function addAnchor(collected: Collected, { attributes }: Tag): void {
  const href = attributes.get("href");
  if (href === undefined) return;
  const entry: Record<string, unknown> = { hashes: hashesOf(href) };
  const requires = attributes.get("data-requires-python");
  if (requires !== undefined) entry["requires-python"] = requires;
  const yanked = attributes.get("data-yanked");
  if (yanked !== undefined) entry.yanked = yanked === "" ? true : yanked;
  const metadata = attributes.get("data-core-metadata") ?? attributes.get("data-dist-info-metadata");
  if (metadata !== undefined) entry["core-metadata"] = metadataOf(metadata);
  const signature = attributes.get("data-gpg-sig");
  if (signature !== undefined) entry["gpg-sig"] = signature === "true";
  const uploadTime = attributes.get("data-upload-time");
  if (uploadTime !== undefined) entry["upload-time"] = uploadTime;
  const provenance = attributes.get("data-provenance");
  if (provenance !== undefined) entry.provenance = provenance;
  addFile(collected, href, entry, undefined);
}

function hashesOf(href: string): Readonly<Record<string, string>> {
  const hash = href.indexOf("#");
  if (hash < 0) return {};
  const hashes: Record<string, string> = {};
  for (const part of href.slice(hash + 1, hash + 1_000).split("&")) {
    const match = /^(md5|sha1|sha224|sha256|sha384|sha512)=([0-9a-fA-F]{16,256})$/.exec(part);
    if (match !== null) hashes[match[1]!] = match[2]!;
  }
  return hashes;
}

/** What it says of its metadata, under any of its three names (PEP 658, 691, 714): a flag, or digests by algorithm. */
export function statedMetadata(entry: PageFile["entry"]): unknown {
  return entry["core-metadata"] ?? entry["data-dist-info-metadata"] ?? entry["dist-info-metadata"];
}

/** `true`, or the digest as `sha256=…`. */
function metadataOf(value: string): unknown {
  const match = /^([a-z0-9_]{2,20})=([0-9a-fA-F]{16,256})$/.exec(value);
  return match === null ? value === "true" : { [match[1]!]: match[2]! };
}
