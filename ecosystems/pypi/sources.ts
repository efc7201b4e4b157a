/** Which documents hold a project's facts: the simple page, and the legacy JSON where the page says too little. */
import { Buffer } from "node:buffer";
import type { Source, Subject, UpstreamDocument } from "../ecosystem.ts";
import { isJson } from "./page.ts";

const MAX_PAGE_BYTES = 128 * 1024 * 1024;
const MAX_LEGACY_BYTES = 128 * 1024 * 1024;
/** As pip asks, so that mirrors that answer by the exact text answer as they answer pip. */
const ACCEPT =
  "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01";

/** The key under which a project's legacy JSON arrives, as facts or as what a form is rendered from. */
export const LEGACY_KEY = "legacy";

/** All projects: names alone. */
export const PROJECT_LIST = "simple";

export function sources(subject: Subject, documents: readonly UpstreamDocument[]): readonly Source[] {
  if (subject.kind === "catalogue") return documents.length > 0 ? [] : [listSource()];
  const page = documents.find(({ key }) => key === "simple");
  if (page === undefined) return [pageSource(subject.name)];
  if (page.status !== 200 || documents.some(({ key }) => key === LEGACY_KEY)) return [];
  return saysTooLittle(page) ? [legacySource(subject.name)] : [];
}

function pageSource(name: string): Source {
  return {
    key: "simple",
    upstream: "index",
    path: `simple/${name}/`,
    accept: ACCEPT,
    maxBytes: MAX_PAGE_BYTES,
    required: true,
    expects: "json-or-html",
  };
}

function listSource(): Source {
  return { ...pageSource(""), key: "projects", path: "simple/", check: checkList };
}

/** Looked for, not parsed: it has 30 MB. An error with status 200 is no list without projects. */
function checkList(document: UpstreamDocument): void {
  if (!isJson(document) || countOf(document.body, '"projects"') > 0) return;
  throw new SyntaxError("Cannot read the list of projects: projects is missing");
}

/** Not every index has it: an absent one says nothing. */
export function legacySource(name: string, version?: string): Source {
  return {
    key: LEGACY_KEY,
    upstream: "index",
    path: version === undefined ? `pypi/${name}/json` : `pypi/${name}/${encodeURIComponent(version)}/json`,
    accept: "application/json",
    maxBytes: MAX_LEGACY_BYTES,
    required: false,
    expects: "json",
  };
}

/**
 * HTML has no dates by its specification, and where it shows no yank it may not know of them. JSON has a date for
 * each file, or is asked to be helped out. Counted as bytes: a quote inside a string would have a backslash before
 * it, and a count that is wrong costs one request or one date.
 */
function saysTooLittle(page: UpstreamDocument): boolean {
  if (!isJson(page)) return true;
  return countOf(page.body, '"upload-time"') < countOf(page.body, '"filename"');
}

function countOf(body: Uint8Array, text: string): number {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  let count = 0;
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + text.length)) count++;
  return count;
}
