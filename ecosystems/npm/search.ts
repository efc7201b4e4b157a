/** Search: upstream finds the names, cached facts say what may be said of them. */
import { permits } from "../../policy/types.ts";
import type { CatalogueAsk, Material, Rendered, Source, UpstreamDocument } from "../ecosystem.ts";
import { isPackageName } from "./name.ts";
import { latestBelow } from "./tags.ts";
import { npmVersions } from "./version.ts";

const MAX_BYTES = 8 * 1024 * 1024;
const MAX_TEXT = 256;
const MAX_RESULTS = 250;
const NUMBERS: readonly string[] = ["from", "maintenance", "popularity", "quality", "size"];

/** The subject's name is the search itself, its parameters in a fixed order; null: it asks for nothing. */
export function readSearch(query: URLSearchParams): CatalogueAsk | null {
  const parameters = new URLSearchParams();
  for (const name of NUMBERS) {
    const text = query.get(name);
    if (text !== null && /^\d{1,6}(?:\.\d{1,6})?$/.test(text)) parameters.set(name, text);
  }
  const text = query.get("text")?.slice(0, MAX_TEXT).toWellFormed();
  if (text === undefined) return null;
  parameters.set("text", text);
  return {
    kind: "catalogue",
    subject: { kind: "catalogue", name: parameters.toString() },
    variant: "search",
  };
}

export function searchSource(name: string): Source {
  return {
    key: "search",
    upstream: "registry",
    path: `-/v1/search?${name}`,
    accept: "application/json",
    maxBytes: MAX_BYTES,
    required: true,
    expects: "json",
    check: (document) => void entriesOf(answerOf([document])),
  };
}

type Json = Record<string, unknown>;

/** The names found, valid ones only. */
export function searchMentions(documents: readonly UpstreamDocument[]): readonly string[] {
  return entriesOf(answerOf(documents)).map((entry) => nameOf(entry)).filter((name) => name !== null);
}

/**
 * An entry whose package is unknown here stays without version; so does one whose version is withheld, unless an
 * older one that is offered can be named.
 */
export function renderSearch(material: Material): Rendered | null {
  const answer = answerOf(material.documents);
  let withheld = 0;
  const objects = entriesOf(answer).flatMap((entry) => {
    const name = nameOf(entry);
    if (name === null) return [];
    const shown = shownVersion(material, name, entry);
    if (shown !== null && shown !== read(entry, "package", "version")) withheld++;
    return [withVersion(entry, shown === "withheld" ? null : shown)];
  });
  const body = new TextEncoder().encode(JSON.stringify({ ...answer, objects }));
  return {
    status: 200,
    contentType: "application/json",
    headers: {},
    body: [body],
    withheld: () => withheld,
  };
}

/** Upstream's version where it is offered, else the greatest that is; null: nothing is known of the package here. */
function shownVersion(material: Material, name: string, entry: Json): string | "withheld" | null {
  const decisions = material.decisions(name);
  if (decisions === null) return null;
  const isOffered = (version: string) => {
    const decision = decisions.release(version);
    return decision !== null && permits(decision);
  };
  const version = read(entry, "package", "version");
  if (typeof version !== "string") return null;
  if (isOffered(version)) return version;
  const offered = (material.facts?.(name)?.releases ?? []).map((release) => release.version).filter(
    isOffered,
  );
  return latestBelow(version, offered, npmVersions) ?? "withheld";
}

/** `date` belongs to the version that upstream found: it goes with it. */
function withVersion(entry: Json, version: string | null): Json {
  const { version: found, date, ...rest } = entry["package"] as Json;
  if (version === null) return { ...entry, package: rest };
  return {
    ...entry,
    package: { ...rest, version, ...(version === found && date !== undefined ? { date } : {}) },
  };
}

function answerOf(documents: readonly UpstreamDocument[]): Json {
  const document = documents.find((candidate) => candidate.key === "search");
  if (document === undefined) throw new SyntaxError("Cannot read search: there is no answer");
  const answer: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(document.body));
  if (!isRecord(answer)) throw new SyntaxError("Cannot read search: it is no object");
  return answer;
}

function entriesOf(answer: Json): readonly Json[] {
  const objects = read(answer, "objects");
  if (!Array.isArray(objects)) throw new SyntaxError("Cannot read search: objects is missing");
  return objects.slice(0, MAX_RESULTS).filter(isRecord);
}

function nameOf(entry: Json): string | null {
  const name = read(entry, "package", "name");
  return typeof name === "string" && isPackageName(name) ? name : null;
}

function read(value: unknown, ...path: readonly string[]): unknown {
  let at = value;
  for (const key of path) {
    if (!isRecord(at) || !Object.hasOwn(at, key)) return undefined;
    at = at[key];
  }
  return at;
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
