/** From a simple page (and the legacy JSON beside it) to the facts of its files. */
import type {
  Artifact,
  Digest,
  DigestAlgorithm,
  Fact,
  PackageFacts,
  Published,
  Release,
  TrustLevel,
} from "../../policy/types.ts";
import { hexDigest } from "../_shared/digests.ts";
import { publishedFact } from "../_shared/time.ts";
import type { Reading, UpstreamDocument } from "../ecosystem.ts";
import { type FileKind, readFilename } from "./filename.ts";
import { type LegacyFile, NO_LEGACY, readLegacy } from "./legacy.ts";
import { isRecord, type Page, type PageFile, readPage, statedMetadata } from "./page.ts";
import { LEGACY_KEY } from "./sources.ts";
import { isVersionText, pypiVersions, versionKey } from "./version.ts";

const FILES_PER_SLICE = 500;
const UNSUPPORTED = { known: false, why: "unsupported" } as const;
const ABSENT = { known: false, why: "absent" } as const;
const MALFORMED = { known: false, why: "malformed" } as const;
const YES = { known: true, value: true } as const;
const NO = { known: true, value: false } as const;
const TRUSTED = { known: true, value: "trusted-publisher" } as const;
const NO_TRUST = { known: true, value: "none" } as const;

/** Strongest first; MD5 and SHA-1 count only where nothing better is stated. */
const STRONG: readonly DigestAlgorithm[] = ["sha256", "sha512", "sha384"];
const WEAK: readonly DigestAlgorithm[] = ["sha1", "md5"];

interface Gathered {
  version: string;
  readonly artifacts: Artifact[];
  readonly kinds: FileKind[];
}

/** One reading, after `undefined` at every point where the reader may pause. Throws SyntaxError. */
export function* readProject(
  name: string,
  documents: readonly UpstreamDocument[],
): Generator<Reading | undefined> {
  const document = documents.find(({ key }) => key === "simple");
  if (document === undefined || document.status !== 200) {
    throw new SyntaxError(`Cannot read simple page ${JSON.stringify(name)}: there is none`);
  }
  const page = yield* readPage(name, document);
  yield undefined;
  const beside = documents.find(({ key }) => key === LEGACY_KEY);
  const legacy = beside?.status === 200 ? readLegacy(name, beside) : NO_LEGACY;
  yield undefined;
  const releases = yield* releasesOf(name, page, legacy);
  const facts: PackageFacts = { purlType: "pypi", name, releases };
  yield { facts, layout: null };
}

/** A quarantined project offers no files, whatever its page still lists (PyPA, "Project status markers"). */
function* releasesOf(
  name: string,
  page: Page,
  legacy: ReadonlyMap<string, LegacyFile>,
): Generator<undefined, readonly Release[]> {
  const gathered = new Map<string, Gathered>();
  const files = page.status === "quarantined" ? [] : page.files;
  for (const [index, file] of files.entries()) {
    if (index % FILES_PER_SLICE === FILES_PER_SLICE - 1) yield undefined;
    const read = readFilename(file.filename, name);
    if (read === null) continue;
    const key = versionKey(read.version);
    const release = gathered.get(key) ?? { version: read.version, artifacts: [], kinds: [] };
    gathered.set(key, release);
    release.artifacts.push(artifactOf(page, file, legacy.get(file.filename)));
    release.kinds.push(read.kind);
  }
  yield undefined;
  nameAsListed(gathered, page.versions ?? []);
  const deprecated = deprecationOf(page);
  return [...gathered.values()]
    .sort((a, b) => pypiVersions.compare(a.version, b.version) || (a.version < b.version ? -1 : 1))
    .map(({ version, artifacts, kinds }) => ({
      version,
      artifacts,
      deprecated,
      licence: UNSUPPORTED,
      // Only what has no wheel must be built, and a build runs the project's code.
      runsCodeOnInstall: kinds.every((kind) => kind === "sdist") ? YES : NO,
      publisher: UNSUPPORTED,
    }));
}

/** File names write a version in more than one way: the index's own word for it is the one that people know. */
function nameAsListed(gathered: ReadonlyMap<string, Gathered>, versions: readonly string[]): void {
  const named = new Set<string>();
  for (const version of versions) {
    const key = versionKey(version);
    const release = gathered.get(key);
    if (release === undefined || named.has(key) || !isVersionText(version)) continue;
    named.add(key);
    release.version = version;
  }
}

function artifactOf(page: Page, file: PageFile, legacy: LegacyFile | undefined): Artifact {
  const { entry, filename, url } = file;
  const stated = digestsOf(entry.hashes);
  return {
    filename,
    url,
    digests: stated.length > 0 ? stated : digestsOf(legacy?.digests),
    sizeBytes: sizeOf(entry.size) ?? sizeOf(legacy?.size),
    publishedAt: dateOf(entry["upload-time"], legacy?.uploadTime),
    yanked: yankOf(page, entry.yanked, legacy?.yanked),
    trust: trustOf(page, entry),
    ...besideOf(entry),
  };
}

/** A mere flag says that there is metadata, and nothing of its bytes. */
function besideOf(entry: PageFile["entry"]): Pick<Artifact, "beside"> {
  const digests = digestsOf(statedMetadata(entry));
  return digests.length === 0 ? {} : { beside: { ".metadata": digests } };
}

/** The page's own date, unless it has none that can be read and the legacy JSON does. */
function dateOf(own: unknown, legacy: unknown): Fact<Published> {
  const fact = publishedFact(own, "registry");
  if (fact.known) return fact;
  const other = publishedFact(legacy, "registry");
  return other.known || fact.why === "absent" ? other : fact;
}

/**
 * A flag or its reason (PEP 592); one that is not there means no. Either document's yes counts, and a value that
 * is neither is malformed.
 */
function yankOf(page: Page, own: unknown, legacy: unknown): Fact<boolean> {
  const facts = [own, legacy].map(flagOf);
  if (facts.some((fact) => fact?.known && fact.value)) return YES;
  if (facts.includes(MALFORMED)) return MALFORMED;
  if (facts.some((fact) => fact !== null)) return NO;
  // Of an HTML page alone it cannot be said whether it would show one.
  return page.isHtml ? ABSENT : NO;
}

function flagOf(value: unknown): Fact<boolean> | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "string") return YES;
  return typeof value === "boolean" ? (value ? YES : NO) : MALFORMED;
}

/** PEP 740: PyPI takes attestations from trusted publishers only. From 1.3 on a file without one has none. */
function trustOf(page: Page, entry: PageFile["entry"]): Fact<TrustLevel> {
  const { provenance } = entry;
  if (typeof provenance === "string" && provenance !== "") return TRUSTED;
  if (provenance !== undefined && provenance !== null) return MALFORMED;
  const minor = Number(page.apiVersion.slice(2));
  return !page.isHtml && minor >= 3 ? NO_TRUST : ABSENT;
}

function digestsOf(hashes: unknown): readonly Digest[] {
  if (!isRecord(hashes)) return [];
  const strong = STRONG.flatMap((algorithm) => digestOf(hashes, algorithm));
  return strong.length > 0 ? strong : WEAK.flatMap((algorithm) => digestOf(hashes, algorithm));
}

function digestOf(hashes: Readonly<Record<string, unknown>>, algorithm: DigestAlgorithm): readonly Digest[] {
  const hex = Object.hasOwn(hashes, algorithm) ? hashes[algorithm] : null;
  const digest = typeof hex === "string" ? hexDigest(algorithm, hex) : null;
  return digest === null ? [] : [digest];
}

function sizeOf(value: unknown): number | null {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? value as number : null;
}

/** The whole project's, since there is no such mark of a release. */
function deprecationOf(page: Page): Fact<string | false> {
  if (page.status === "deprecated") return { known: true, value: page.statusReason || "deprecated" };
  return page.isHtml ? ABSENT : NO;
}
