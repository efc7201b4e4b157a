/** Reads an index file, a JSON object a line: facts for the policy, offsets for rendering. */
import type { Artifact, Digest, Fact, PackageFacts, Release } from "../../policy/types.ts";
import type { Reading, UpstreamDocument } from "../ecosystem.ts";
import { hexDigest } from "../_shared/digests.ts";
import { createJsonCursor } from "../_shared/json_scan.ts";
import { publishedFact } from "../_shared/time.ts";
import { downloadUrl, type RegistryConfig } from "./config.ts";
import { type LineSpan, packLines } from "./layout.ts";
import { canonicalName, crateFilename, isCrateName } from "./name.ts";
import { cargoVersions, isVersionText } from "./version.ts";

const NEWLINE = 0x0a;
const KNOWN = ["name", "vers", "cksum", "yanked", "pubtime", "links"] as const;
/** Between two points at which the reader may pause: about a millisecond's worth. */
const STRETCH_BYTES = 32 * 1024;
/** The sparse index has no such field; the web API, which does, is asked for pages only. */
const UNSUPPORTED = { known: false, why: "unsupported" } as const;
const ABSENT = { known: false, why: "absent" } as const;

type LinePlace = Omit<LineSpan, "release">;

interface Line {
  readonly place: LinePlace;
  readonly release: Release;
}

/** A line's members of which something is made here, raw, and where the value of `yanked` stands in the line. */
interface Members {
  readonly values: ReadonlyMap<string, unknown>;
  readonly yankedStart: number;
  readonly yankedEnd: number;
}

/**
 * One reading, after `undefined` at every point where the reader may pause. Throws SyntaxError where there is no line
 * (whoever published has one, and a crate that was deleted is 404), one is no JSON object, is another crate's, or
 * has no version. A line without a usable checksum is left out, as Cargo could
 * not use it either; one of an unknown `v` is read and kept like any other.
 */
export function* readIndexFile(
  name: string,
  document: UpstreamDocument,
  config: RegistryConfig,
): Generator<Reading | undefined> {
  const lines: Line[] = [];
  const versions = new Set<string>();
  let pauseAt = STRETCH_BYTES;
  let isEmpty = true;
  for (const [start, end] of eachLineOf(document.body)) {
    isEmpty = false;
    const line = readLine(document.body.subarray(start, end), { name, start, config });
    if (end > pauseAt) {
      yield undefined;
      pauseAt = end + STRETCH_BYTES;
    }
    if (line === null) continue;
    const { version } = line.release;
    if (versions.has(version)) throw unreadable(name, `version ${JSON.stringify(version)} comes twice`);
    versions.add(version);
    lines.push(line);
  }
  if (isEmpty) throw unreadable(name, "it has no line");
  yield readingOf(name, lines);
}

function readingOf(name: string, lines: readonly Line[]): Reading {
  const sorted = lines.toSorted((a, b) => cargoVersions.compare(a.release.version, b.release.version));
  const indexes = new Map(sorted.map((line, index) => [line, index]));
  const facts: PackageFacts = {
    purlType: "cargo",
    name,
    releases: sorted.map(({ release }) => release),
  };
  return {
    facts,
    layout: packLines(lines.map((line) => ({ ...line.place, release: indexes.get(line)! }))),
  };
}

/** Offsets of the lines that are not blank; the last needs no line's end. */
function* eachLineOf(body: Uint8Array): Generator<readonly [start: number, end: number]> {
  let start = 0;
  while (start < body.length) {
    const found = body.indexOf(NEWLINE, start);
    const end = found < 0 ? body.length : found;
    if (body.subarray(start, end).some((byte) => byte !== 0x20 && byte !== 0x0d && byte !== 0x09)) {
      yield [start, end];
    }
    start = end + 1;
  }
}

/** null: left out. */
function readLine(
  bytes: Uint8Array,
  where: { readonly name: string; readonly start: number; readonly config: RegistryConfig },
): Line | null {
  const { name, start, config } = where;
  const { values, yankedStart, yankedEnd } = readMembers(name, bytes);
  const own = values.get("name");
  if (typeof own !== "string" || !isCrateName(own) || canonicalName(own) !== name) {
    throw unreadable(name, `a line is of crate ${JSON.stringify(own)}`);
  }
  const version = values.get("vers");
  if (typeof version !== "string") throw unreadable(name, "a line has no vers");
  const cksum = values.get("cksum");
  const digest = typeof cksum === "string" ? hexDigest("sha256", cksum) : null;
  const yanked = yankedFact(values.get("yanked"));
  if (digest === null || yanked === null || !isVersionText(version)) return null;
  const url = downloadUrl(config, { name: own, version, cksum: cksum as string });
  return {
    place: {
      start,
      end: start + bytes.length,
      yankedStart: start + yankedStart,
      yankedEnd: start + yankedEnd,
    },
    release: releaseOf({ name, version, digest, yanked, url, values }),
  };
}

function readMembers(name: string, bytes: Uint8Array): Members {
  const cursor = createJsonCursor(bytes, { label: `index file ${JSON.stringify(name)}`, known: KNOWN });
  if (!cursor.enter()) throw unreadable(name, "a line is no JSON object");
  const values = new Map<string, unknown>();
  let yankedStart = cursor.position;
  let yankedEnd = cursor.position;
  for (let key = cursor.key(); key !== null; key = cursor.key()) {
    if (!cursor.isKnown) continue;
    const from = cursor.position;
    values.set(key, cursor.value());
    if (key === "yanked") [yankedStart, yankedEnd] = [from, cursor.position];
  }
  cursor.finish();
  return { values, yankedStart, yankedEnd };
}

/** null: neither true, nor false, nor missing. */
function yankedFact(value: unknown): Fact<boolean> | null {
  if (typeof value === "boolean") return { known: true, value };
  return value === undefined || value === null ? ABSENT : null;
}

function releaseOf(
  line: {
    readonly name: string;
    readonly version: string;
    readonly digest: Digest;
    readonly yanked: Fact<boolean>;
    readonly url: string;
    readonly values: ReadonlyMap<string, unknown>;
  },
): Release {
  const { name, version, digest, yanked, url, values } = line;
  const artifact: Artifact = {
    filename: crateFilename(name, version),
    digests: [digest],
    sizeBytes: null,
    publishedAt: publishedFact(values.get("pubtime"), "registry"),
    yanked,
    trust: UNSUPPORTED,
    url,
  };
  return {
    version,
    artifacts: [artifact],
    deprecated: UNSUPPORTED,
    licence: UNSUPPORTED,
    // A build script that links a native library; others, and macros, show in the archive only.
    runsCodeOnInstall: typeof values.get("links") === "string" ? { known: true, value: true } : ABSENT,
    publisher: UNSUPPORTED,
  };
}

function unreadable(name: string, what: string): SyntaxError {
  return new SyntaxError(`Cannot read index file ${JSON.stringify(name)}: ${what}`);
}
