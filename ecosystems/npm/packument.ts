/** Reads a full packument once: facts for the policy, offsets for rendering. */
import type { PackageFacts, Release } from "../../policy/types.ts";
import type { Reading, UpstreamDocument } from "../ecosystem.ts";
import { createJsonCursor, type JsonCursor } from "../_shared/json_scan.ts";
import { publishedFact } from "../_shared/time.ts";
import {
  type Layout,
  LEFT_OUT,
  packRoot,
  packTime,
  packVersions,
  ROOT_DROPPED,
  ROOT_RAW,
  ROOT_TAGS,
  ROOT_TIME,
  ROOT_VERSIONS,
  type RootSpan,
  type Span,
  TIME_DROPPED,
  TIME_KEPT,
} from "./layout.ts";
import { createTexts, KNOWN_KEYS, type Manifest, readManifest } from "./manifest.ts";
import { createTarballReader, settleFilenames, type TarballClaim } from "./tarball.ts";
import { isSameVersion, isVersionKey, npmVersions } from "./version.ts";

interface VersionEntry extends Span {
  readonly version: string;
  /** null: left out. */
  readonly manifest: Manifest | null;
}

interface TimeEntry extends Span {
  readonly key: string;
  readonly valueStart: number;
  /** null: no string. */
  readonly text: string | null;
}

interface Found {
  name: string | null;
  readonly root: RootSpan[];
  versions: VersionEntry[] | null;
  readonly time: TimeEntry[];
  readonly tags: [string, string][];
}

const UNSUPPORTED = { known: false, why: "unsupported" } as const;

/**
 * One reading, after `undefined` at every point where the reader may pause. Throws SyntaxError where the document
 * cannot be read or is another package's. A release whose own name or version is not its key's is left out:
 * what it would install is not what was decided on.
 */
export function* readPackument(
  name: string,
  document: UpstreamDocument,
): Generator<Reading | undefined> {
  const label = `packument ${JSON.stringify(name)}`;
  const cursor = createJsonCursor(document.body, { label, known: KNOWN_KEYS });
  const found: Found = { name: null, root: [], versions: null, time: [], tags: [] };
  if (!cursor.enter()) throw new SyntaxError(`Cannot read ${label}: it is no object`);
  for (let key = cursor.key(); key !== null; key = cursor.key()) {
    yield* readMember({ name, label, cursor, found }, key);
  }
  cursor.finish();
  if (found.name !== name) {
    throw new SyntaxError(`Cannot read ${label}: its name is ${JSON.stringify(found.name)}`);
  }
  // A package that was unpublished whole keeps its `time`, which says so, and nothing else.
  if (found.versions === null && !found.time.some((entry) => entry.key === "unpublished")) {
    throw new SyntaxError(`Cannot read ${label}: versions is missing`);
  }
  yield undefined;
  yield yield* assemble(name, document, found);
}

interface Context {
  readonly name: string;
  readonly label: string;
  readonly cursor: JsonCursor;
  readonly found: Found;
}

function* readMember(context: Context, key: string): Generator<undefined> {
  const { cursor, found, label } = context;
  const start = cursor.keyStart;
  const valueStart = cursor.position;
  let kind = ROOT_RAW;
  switch (key) {
    case "name":
      found.name = cursor.string();
      break;
    case "versions":
      kind = ROOT_VERSIONS;
      if (!cursor.enter()) throw new SyntaxError(`Cannot read ${label}: versions is no object`);
      found.versions = yield* readVersions(context);
      break;
    case "time":
      if (cursor.enter()) {
        kind = ROOT_TIME;
        yield* readTime(context);
      }
      break;
    case "dist-tags":
      kind = ROOT_TAGS;
      readTags(context);
      break;
    case "policyRestrictions":
    case "stagedVersions":
      kind = ROOT_DROPPED;
      break;
  }
  while (!cursor.skip()) yield undefined;
  found.root.push({ kind, start, valueStart, end: cursor.position });
}

function* readVersions(context: Context): Generator<undefined, VersionEntry[]> {
  const { cursor, name } = context;
  const entries: VersionEntry[] = [];
  const texts = createTexts();
  for (let version = cursor.key(); version !== null; version = cursor.key()) {
    const start = cursor.keyStart;
    const manifest = readManifest(cursor, texts);
    while (!cursor.skip()) yield undefined;
    const usable = manifest !== null && isVersionKey(version) &&
      (manifest.name === null || manifest.name === name) &&
      (manifest.version === null || isSameVersion(version, manifest.version));
    // Parses the version now, in this slice, and not all of them at once when they are sorted.
    npmVersions.isValid(version);
    entries.push({ version, manifest: usable ? manifest : null, start, end: cursor.position });
    if (cursor.pauseDue()) yield undefined;
  }
  return entries;
}

function* readTime({ cursor, found }: Context): Generator<undefined> {
  for (let key = cursor.key(); key !== null; key = cursor.key()) {
    const start = cursor.keyStart;
    const valueStart = cursor.position;
    const text = cursor.string();
    while (!cursor.skip()) yield undefined;
    found.time.push({ key, text, start, valueStart, end: cursor.position });
    if (cursor.pauseDue()) yield undefined;
  }
}

function readTags({ cursor, found }: Context): void {
  if (!cursor.enter()) return;
  for (let tag = cursor.key(); tag !== null; tag = cursor.key()) {
    const version = cursor.string();
    if (version !== null) found.tags.push([tag, version]);
  }
}

function* assemble(name: string, document: UpstreamDocument, found: Found): Generator<undefined, Reading> {
  const entries = found.versions ?? [];
  const sorted = entries.filter((entry) => entry.manifest !== null).sort((a, b) =>
    byVersion(a.version, b.version)
  );
  yield undefined;
  const index = new Map(sorted.map((entry, position) => [entry.version, position]));
  yield undefined;
  const dates = new Map(found.time.map((entry) => [entry.key, entry.text ?? 0]));
  yield undefined;
  const leftOut = new Set(entries.filter((entry) => entry.manifest === null).map((entry) => entry.version));
  const modified = found.time.find((entry) => entry.key === "modified");
  const layout: Layout = {
    format: 1,
    root: packRoot(found.root),
    versions: packVersions(entries.map((entry) => ({
      release: entry.manifest === null ? LEFT_OUT : index.get(entry.version)!,
      start: entry.start,
      end: entry.end,
      tarballStart: entry.manifest?.tarballStart ?? 0,
      tarballEnd: entry.manifest?.tarballEnd ?? 0,
    }))),
    time: packTime(found.time.map((entry) => ({
      release: index.get(entry.key) ?? (leftOut.has(entry.key) ? TIME_DROPPED : TIME_KEPT),
      start: entry.start,
      end: entry.end,
    }))),
    tags: found.tags,
    modified: modified === undefined ? null : [modified.valueStart, modified.end],
  };
  yield undefined;
  const releases = yield* releasesOf({ name, documentUrl: document.url, entries: sorted, dates });
  const facts: PackageFacts = { purlType: "npm", name, releases };
  return { facts, layout };
}

/** Equal by the scheme (build metadata only): by code unit, so that the order does not depend on the document. */
function byVersion(a: string, b: string): number {
  return npmVersions.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

const RELEASES_PER_SLICE = 100;

function* releasesOf(
  options: {
    readonly name: string;
    readonly documentUrl: string;
    readonly entries: readonly VersionEntry[];
    readonly dates: ReadonlyMap<string, string | number>;
  },
): Generator<undefined, readonly Release[]> {
  const { name, entries, dates } = options;
  const readTarball = createTarballReader({ name, documentUrl: options.documentUrl });
  const claims: TarballClaim[] = [];
  for (const { version, manifest } of entries) {
    claims.push({ version, tarball: readTarball(version, manifest!.tarball), digests: manifest!.digests });
    if (claims.length % RELEASES_PER_SLICE === 0) yield undefined;
  }
  yield* settleFilenames(name, claims);
  const releases: Release[] = [];
  for (const [position, { version, manifest }] of entries.entries()) {
    releases.push(releaseOf(manifest!, claims[position]!, dates.get(version)));
    if (releases.length % RELEASES_PER_SLICE === 0) yield undefined;
  }
  return releases;
}

function releaseOf(manifest: Manifest, claim: TarballClaim, date: string | number | undefined): Release {
  return {
    version: claim.version,
    artifacts: [{
      filename: claim.tarball.filename,
      digests: claim.digests,
      sizeBytes: null,
      publishedAt: publishedFact(date, "registry"),
      yanked: UNSUPPORTED,
      trust: manifest.trust,
      url: claim.tarball.url,
    }],
    deprecated: manifest.deprecated,
    licence: manifest.licence,
    runsCodeOnInstall: manifest.runsCodeOnInstall,
    publisher: manifest.publisher,
  };
}
