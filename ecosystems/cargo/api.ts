/** The registry's web API: where its documents are, and how they are read. */
import type { CatalogueAsk, Source, UpstreamDocument } from "../ecosystem.ts";
import { apiOf, CONFIG_SOURCE } from "./config.ts";

const MAX_BYTES = 32 * 1024 * 1024;
const MAX_TEXT = 256;
const NUMBERS: readonly string[] = ["page", "per_page"];
const SORTS: ReadonlySet<string> = new Set([
  "alphabetical",
  "downloads",
  "new",
  "recent-downloads",
  "recent-updates",
  "relevance",
]);

/** A JSON object as it was read; its members by `Object.hasOwn` only. */
export type Json = Record<string, unknown>;

/**
 * `path` below `api/v1/crates/`, of what was parsed; the API's own address stands in `config.json`. `holds`: the member
 * that its answer has, which an error with status 200 has not.
 */
export function apiSource(path: string, holds: string): Source {
  return {
    key: "page",
    upstream: "index",
    path: `api/v1/crates/${path}`,
    accept: "application/json",
    maxBytes: MAX_BYTES,
    required: false,
    expects: "json",
    below: { document: CONFIG_SOURCE, root: apiOf },
    check(document) {
      if (member(answerOf([document], document.key), holds) !== undefined) return;
      throw new SyntaxError(`Cannot read ${document.key} of the registry's API: ${holds} is missing`);
    },
  };
}

/** `name` is the search itself, its parameters in a fixed order. */
export function searchSource(name: string): Source {
  return { ...apiSource("", "crates"), key: "search", path: `api/v1/crates?${name}`, required: true };
}

/** null: it looks for nothing. What else the query says is not passed on. */
export function readSearch(query: URLSearchParams): CatalogueAsk | null {
  const text = query.get("q")?.slice(0, MAX_TEXT).toWellFormed();
  if (text === undefined) return null;
  const parameters = new URLSearchParams({ q: text });
  for (const name of NUMBERS) {
    const value = query.get(name);
    if (value !== null && /^\d{1,4}$/.test(value)) parameters.set(name, value);
  }
  const sort = query.get("sort");
  if (sort !== null && SORTS.has(sort)) parameters.set("sort", sort);
  return {
    kind: "catalogue",
    subject: { kind: "catalogue", name: parameters.toString() },
    variant: "search",
  };
}

/** The answer with this key; null where upstream has none. Throws SyntaxError where it is no JSON object. */
export function answerOf(documents: readonly UpstreamDocument[], key: string): Json | null {
  const document = documents.find((candidate) => candidate.key === key);
  if (document === undefined || document.status !== 200) return null;
  const answer: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: false }).decode(document.body));
  if (!isRecord(answer)) throw new SyntaxError(`Cannot read ${key} of the registry's API: it is no object`);
  return answer;
}

/** An own member; undefined where there is none. */
export function member(value: unknown, key: string): unknown {
  return isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

export function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What crates.io and its likes say of which version a user would want. */
export interface ShownVersions {
  readonly newest: string | null;
  readonly newestStable: string | null;
}

/**
 * A crate with the versions that may be named. Cargo's search wants a text in `max_version`: where none may be named
 * it is `*`, which is what may be written into a Cargo.toml then.
 */
export function withVersions(crate: Json, shown: ShownVersions): Json {
  const newest = shown.newest ?? "*";
  const has = (key: string) => Object.hasOwn(crate, key);
  return {
    ...crate,
    ...(has("max_version") ? { max_version: newest } : {}),
    ...(has("newest_version") ? { newest_version: newest } : {}),
    ...(has("default_version") ? { default_version: shown.newestStable ?? newest } : {}),
    ...(has("max_stable_version") ? { max_stable_version: shown.newestStable } : {}),
  };
}
