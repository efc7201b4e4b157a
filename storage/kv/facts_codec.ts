/**
 * PackageFacts as lines of compact JSON: the first names the package, each other holds some releases, so that they
 * are written and read in slices. A release is an array, and so is an artifact; what is absent at the end of either
 * is left out. A Fact is its value, or null (absent), 1 (malformed), 2 (unsupported). Canonical: equal facts have
 * equal bytes.
 */
import { createHash } from "node:crypto";
import type {
  Artifact,
  Digest,
  DigestAlgorithm,
  EpochMs,
  Fact,
  PackageFacts,
  Published,
  Release,
  TrustLevel,
} from "../../policy/types.ts";
import { StorageError } from "../errors.ts";

const VERSION = 2;
/** Version 1 had all releases at the end of its one line. */
const READABLE = [1, VERSION];
const RELEASES_PER_LINE = 100;
const LINE_END = 0x0a;

const UNKNOWN = ["absent", "malformed", "unsupported"] as const;
const ALGORITHMS: readonly DigestAlgorithm[] = ["md5", "sha1", "sha256", "sha384", "sha512", "blake2b-256"];
const TRUST: readonly TrustLevel[] = ["trusted-publisher", "provenance", "none"];
const KNOWN_TRUST: readonly Fact<TrustLevel>[] = TRUST.map((value) => ({ known: true, value }));
const ABSENT = { known: false, why: "absent" } as const;
const MALFORMED = { known: false, why: "malformed" } as const;
const UNSUPPORTED = { known: false, why: "unsupported" } as const;
const YES = { known: true, value: true } as const;
const NO = { known: true, value: false } as const;

/** A piece for each line. Throws TypeError for what JSON cannot hold (a time that is no number): the plugin's error. */
export function* encodeFacts({ purlType, name, releases }: PackageFacts): Generator<Uint8Array, void> {
  const encoder = new TextEncoder();
  yield encoder.encode(`${JSON.stringify([VERSION, purlType, name])}\n`);
  for (let at = 0; at < releases.length; at += RELEASES_PER_LINE) {
    const line = releases.slice(at, at + RELEASES_PER_LINE).map(encodeRelease);
    yield encoder.encode(`${JSON.stringify(line)}\n`);
  }
}

/** SHA-256 (hex) of encoded facts: `PackageRecord.factsDigest`. */
export function factsDigest(encoded: Iterable<Uint8Array>): string {
  const hash = createHash("sha256");
  for (const piece of encoded) hash.update(piece);
  return hash.digest("hex");
}

function encodeRelease(release: Release): unknown[] {
  return trimmed([
    release.version,
    release.artifacts.map(encodeArtifact),
    encodeFact(release.deprecated),
    encodeFact(release.licence),
    encodeFact(release.runsCodeOnInstall),
    encodeFact(release.publisher),
  ]);
}

function encodeArtifact(artifact: Artifact): unknown[] {
  return trimmed([
    artifact.filename,
    artifact.digests.map(encodeDigest),
    artifact.sizeBytes === null ? null : finite(artifact.sizeBytes, "size"),
    encodeFact(artifact.publishedAt, encodePublished),
    encodeFact(artifact.yanked),
    encodeFact(artifact.trust, (trust) => [TRUST.indexOf(trust)]),
    artifact.url,
    encodeBeside(artifact.beside),
  ]);
}

function encodeBeside(beside: Artifact["beside"]): unknown {
  if (beside === undefined) return null;
  return Object.entries(beside).toSorted(([a], [b]) => a < b ? -1 : 1)
    .map(([suffix, digests]) => [suffix, digests.map(encodeDigest)]);
}

function encodePublished({ at, clock }: Published): number[] {
  const instant = finite(at, "time");
  return clock === "registry" ? [instant] : [instant, 1];
}

/** `0q1…`: the algorithm's place, then base64 where the hex can be had back from it exactly. */
function encodeDigest({ algorithm, hex }: Digest): string {
  const place = ALGORITHMS.indexOf(algorithm);
  if (place < 0) throw new TypeError(`Cannot encode the digest algorithm ${JSON.stringify(algorithm)}`);
  const isHex = hex.length % 2 === 0 && /^[0-9a-f]*$/.test(hex);
  return isHex ? `${place}b${Uint8Array.fromHex(hex).toBase64()}` : `${place}x${hex}`;
}

function encodeFact<T>(fact: Fact<T>, encode: (value: T) => unknown = (value) => value): unknown {
  return fact.known ? encode(fact.value) : UNKNOWN.indexOf(fact.why) || null;
}

function finite(value: number, what: string): number {
  if (Number.isFinite(value)) return value;
  throw new TypeError(`Cannot encode facts: the ${what} ${value} is not a finite number`);
}

function trimmed(values: unknown[]): unknown[] {
  while (values.length > 0 && values.at(-1) === null) values.pop();
  return values;
}

/** May pause after each line. Throws StorageError where the bytes are not facts as this version writes them. */
export function* decodeFacts(bytes: Uint8Array): Generator<undefined, PackageFacts> {
  const lines = linesOf(bytes);
  const [version, purlType, name, first] = array(lines.next().value, "facts");
  if (typeof version !== "number" || !READABLE.includes(version)) {
    throw new StorageError(`Cannot decode stored facts: version ${version} is unknown`);
  }
  const shared = createShared();
  const decode = (value: unknown) => decodeRelease(value, shared);
  const releases = version === 1 ? array(first, "releases").map(decode) : [];
  for (const line of lines) {
    yield undefined;
    for (const release of array(line, "releases")) releases.push(decode(release));
  }
  return { purlType: string(purlType, "purl type"), name: string(name, "name"), releases };
}

function* linesOf(bytes: Uint8Array): Generator<unknown, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for (let at = 0; at < bytes.byteLength;) {
    const found = bytes.indexOf(LINE_END, at);
    const end = found < 0 ? bytes.byteLength : found;
    yield parse(decoder, bytes.subarray(at, end));
    at = end + 1;
  }
}

function parse(decoder: TextDecoder, line: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(line));
  } catch (cause) {
    throw new StorageError("Cannot decode stored facts: they are not JSON", { cause });
  }
}

/** Facts that are alike are kept once: most releases of a package have the same licence and the same publisher. */
interface Shared {
  text(value: unknown, what: string): Fact<string>;
}

function createShared(): Shared {
  const facts = new Map<unknown, Fact<string>>();
  return {
    text(value, what) {
      let fact = facts.get(value);
      if (fact === undefined) {
        facts.set(value, fact = unknown(value) ?? { known: true, value: string(value, what) });
      }
      return fact;
    },
  };
}

function decodeRelease(value: unknown, shared: Shared): Release {
  const [version, artifacts, deprecated, licence, runsCode, publisher] = array(value, "release");
  return {
    version: string(version, "version"),
    artifacts: array(artifacts ?? [], "artifacts").map(decodeArtifact),
    deprecated: deprecated === false ? NO : shared.text(deprecated, "deprecation"),
    licence: shared.text(licence, "licence"),
    runsCodeOnInstall: decodeFlag(runsCode, "runsCodeOnInstall"),
    publisher: shared.text(publisher, "publisher"),
  };
}

function decodeArtifact(value: unknown): Artifact {
  const [filename, digests, sizeBytes, publishedAt, yanked, trust, url, beside] = array(value, "artifact");
  const artifact = {
    filename: string(filename, "filename"),
    digests: array(digests ?? [], "digests").map(decodeDigest),
    sizeBytes: sizeBytes === null || sizeBytes === undefined ? null : number(sizeBytes, "size"),
    publishedAt: unknown(publishedAt) ?? { known: true, value: decodePublished(publishedAt) } as const,
    yanked: decodeFlag(yanked, "yanked"),
    trust: unknown(trust) ?? decodeTrust(trust),
    url: url === null || url === undefined ? null : string(url, "url"),
  };
  return beside === null || beside === undefined ? artifact : { ...artifact, beside: decodeBeside(beside) };
}

function decodeFlag(value: unknown, what: string): Fact<boolean> {
  return unknown(value) ?? (boolean(value, what) ? YES : NO);
}

function decodeBeside(value: unknown): NonNullable<Artifact["beside"]> {
  return Object.fromEntries(
    array(value, "list of what stands beside").map((entry) => {
      const [suffix, digests] = array(entry, "what stands beside");
      return [string(suffix, "suffix"), array(digests, "digests").map(decodeDigest)];
    }),
  );
}

function decodePublished(value: unknown): Published {
  const [at, publisher] = array(value, "time");
  return { at: number(at, "time") as EpochMs, clock: publisher === undefined ? "registry" : "publisher" };
}

function decodeTrust(value: unknown): Fact<TrustLevel> {
  return KNOWN_TRUST[number(array(value, "trust")[0], "trust")] ?? broken("trust", value);
}

function decodeDigest(value: unknown): Digest {
  const text = string(value, "digest");
  const algorithm = ALGORITHMS[Number(text[0])];
  if (algorithm === undefined) return broken("digest", value);
  if (text[1] === "x") return { algorithm, hex: text.slice(2) };
  if (text[1] !== "b") return broken("digest", value);
  return { algorithm, hex: hexOf(text.slice(2)) };
}

function hexOf(base64: string): string {
  try {
    return Uint8Array.fromBase64(base64).toHex();
  } catch {
    return broken("digest", base64);
  }
}

/** The Fact that nothing is known; null: something is. */
function unknown(value: unknown): Fact<never> | null {
  if (value === null || value === undefined) return ABSENT;
  return value === 1 ? MALFORMED : value === 2 ? UNSUPPORTED : null;
}

function array(value: unknown, what: string): readonly unknown[] {
  return Array.isArray(value) ? value : broken(what, value);
}

function string(value: unknown, what: string): string {
  return typeof value === "string" ? value : broken(what, value);
}

function number(value: unknown, what: string): number {
  return typeof value === "number" ? value : broken(what, value);
}

function boolean(value: unknown, what: string): boolean {
  return typeof value === "boolean" ? value : broken(what, value);
}

function broken(what: string, value: unknown): never {
  throw new StorageError(`Cannot decode stored facts: ${JSON.stringify(value)?.slice(0, 80)} is no ${what}`);
}
