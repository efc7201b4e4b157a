/** A simple page in each of its forms, from one list of files. */
import type { Links, Material, Rendered } from "../ecosystem.ts";
import { type Form, MEDIA_TYPES } from "./accept.ts";
import { escapeHtml } from "./html.ts";
import { offer, type Offered } from "./offered.ts";
import { isRecord, statedMetadata } from "./page.ts";

const FILES_PER_PIECE = 200;
const ENCODER = new TextEncoder();

export interface SimpleOptions {
  readonly name: string;
  readonly form: Form;
  readonly material: Material;
  readonly links: Links;
  readonly up: string;
}

/** 200 with no files where nothing is allowed: of a 404 clients would take it that another index may answer. */
export function renderSimple(options: SimpleOptions): Rendered | null {
  const offered = offer(options);
  if (offered === null) return null;
  const { form, name } = options;
  return {
    status: 200,
    contentType: form === "html" ? `${MEDIA_TYPES.html}; charset=utf-8` : MEDIA_TYPES[form],
    headers: { vary: "accept" },
    body: form === "json" ? jsonPage(name, offered) : htmlPage(name, offered),
    withheld: () => offered.withheld,
  };
}

/** `versions` and `size` of every file are what 1.1 promises; an HTML page may not have led to them. */
function apiVersionOf({ page, files }: Offered): string {
  if (!page.isHtml) return page.apiVersion;
  return files.every((file) => typeof file.size === "number") ? "1.1" : "1.0";
}

/** Unknown members of upstream's document stay, each in its place. */
function* jsonPage(name: string, offered: Offered): Generator<Uint8Array> {
  const { page, files, versions } = offered;
  const meta = isRecord(page.fields.meta) ? page.fields.meta : {};
  const status = page.isHtml && page.status !== "active"
    ? { "project-status": { status: page.status, reason: page.statusReason ?? undefined } }
    : {};
  const head: Record<string, unknown> = {
    ...page.fields,
    ...status,
    meta: { ...meta, "api-version": apiVersionOf(offered) },
    name,
  };
  if (page.versions !== null || page.isHtml) head.versions = versions;
  delete head.files;
  yield ENCODER.encode(`${JSON.stringify(head).slice(0, -1)},"files":[`);
  for (const [index, piece] of pieces(files).entries()) {
    const text = piece.map((file) => JSON.stringify(file)).join(",");
    yield ENCODER.encode(index === 0 ? text : `,${text}`);
  }
  yield ENCODER.encode("]}");
}

function pieces<T>(files: readonly T[]): readonly (readonly T[])[] {
  const count = Math.ceil(files.length / FILES_PER_PIECE);
  return Array.from(
    { length: count },
    (_, index) => files.slice(index * FILES_PER_PIECE, (index + 1) * FILES_PER_PIECE),
  );
}

/** PEP 503, with the attributes of PEP 592, 658, 714, 740 and 792. */
function* htmlPage(name: string, offered: Offered): Generator<Uint8Array> {
  const { page, files } = offered;
  const title = `Links for ${escapeHtml(name)}`;
  const status = page.status === "active" ? "" : metaTag("pypi:project-status", page.status) +
    (page.statusReason === null ? "" : metaTag("pypi:project-status-reason", page.statusReason));
  yield ENCODER.encode(
    `<!DOCTYPE html>\n<html>\n<head>\n${metaTag("pypi:repository-version", apiVersionOf(offered))}${status}` +
      `<title>${title}</title>\n</head>\n<body>\n<h1>${title}</h1>\n`,
  );
  for (const piece of pieces(files)) yield ENCODER.encode(piece.map(anchor).join(""));
  yield ENCODER.encode("</body>\n</html>\n");
}

function metaTag(name: string, content: string): string {
  return `<meta name="${name}" content="${escapeHtml(content)}">\n`;
}

function anchor(file: Readonly<Record<string, unknown>>): string {
  const hash = digestText(file.hashes);
  const href = `${file.url}${hash === null ? "" : `#${hash}`}`;
  const attributes = [
    ["href", href],
    ["data-requires-python", file["requires-python"]],
    ...metadataAttributes(file),
    ["data-yanked", file.yanked === true ? "" : file.yanked],
    ["data-gpg-sig", typeof file["gpg-sig"] === "boolean" ? String(file["gpg-sig"]) : undefined],
    ["data-upload-time", file["upload-time"]],
    ["data-provenance", file.provenance],
  ];
  const written = attributes.map(([name, value]) =>
    typeof value === "string" ? ` ${name}="${escapeHtml(value)}"` : ""
  );
  return `<a${written.join("")}>${escapeHtml(String(file.filename))}</a><br />\n`;
}

/** Under its two names (PEP 714): old clients know the older one. */
function metadataAttributes(
  file: Readonly<Record<string, unknown>>,
): readonly (readonly [string, unknown])[] {
  const stated = statedMetadata(file);
  const value = stated === true ? "true" : digestText(stated);
  if (value === null) return [];
  return [["data-dist-info-metadata", value], ["data-core-metadata", value]];
}

/** `sha256=…`, or what else there is. */
function digestText(hashes: unknown): string | null {
  if (!isRecord(hashes)) return null;
  const found = Object.entries(hashes).find(([algorithm]) => algorithm === "sha256") ??
    Object.entries(hashes)[0];
  return found !== undefined && /^[a-z0-9_-]+$/.test(found[0]) && /^[0-9a-zA-Z_-]+$/.test(String(found[1]))
    ? `${found[0]}=${found[1]}`
    : null;
}
