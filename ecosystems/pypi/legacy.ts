/** PyPI's older JSON (docs.pypi.org/api/json): dates, yanks, sizes and digests where the simple page has none. */
import type { UpstreamDocument } from "../ecosystem.ts";
import { isRecord, parseObject } from "./page.ts";

/** What it says of one file. */
export interface LegacyFile {
  readonly uploadTime: unknown;
  readonly yanked: unknown;
  readonly size: unknown;
  readonly digests: unknown;
}

export const NO_LEGACY: ReadonlyMap<string, LegacyFile> = new Map();

/**
 * By file name; `urls` counts too, since `releases` is deprecated. Throws SyntaxError, also where it has neither: an
 * error with status 200 is no document that says nothing of any date.
 */
export function readLegacy(name: string, document: UpstreamDocument): ReadonlyMap<string, LegacyFile> {
  const fields = parseObject(document.body, `legacy JSON of ${JSON.stringify(name)}`);
  if (!isRecord(fields.releases) && !Array.isArray(fields.urls)) {
    throw new SyntaxError(
      `Cannot read legacy JSON of ${JSON.stringify(name)}: releases and urls are missing`,
    );
  }
  const lists = isRecord(fields.releases) ? Object.values(fields.releases) : [];
  const files = new Map<string, LegacyFile>();
  for (const list of [fields.urls, ...lists]) {
    if (!Array.isArray(list)) continue;
    for (const entry of list) {
      if (!isRecord(entry) || typeof entry.filename !== "string") continue;
      files.set(entry.filename, {
        uploadTime: entry.upload_time_iso_8601 ?? entry.upload_time,
        yanked: entry.yanked,
        size: entry.size,
        digests: entry.digests,
      });
    }
  }
  return files;
}

/** Parsed once more for this: only where that is cheap. */
const LARGEST_FOR_SUMMARY = 2 ** 20;

/** A project's one-line summary, where its legacy JSON was asked for; the simple page has none. */
export function aboutProject(documents: readonly UpstreamDocument[]): string | null {
  const legacy = documents.find(({ key, status }) => key === "legacy" && status === 200);
  if (legacy === undefined || legacy.body.byteLength > LARGEST_FOR_SUMMARY) return null;
  try {
    const { info } = parseObject(legacy.body, "legacy JSON");
    return isRecord(info) && typeof info.summary === "string" ? info.summary : null;
  } catch {
    return null;
  }
}
