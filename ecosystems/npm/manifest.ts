/** What is read of one release's manifest inside a packument. */
import type { Digest, Fact, TrustLevel } from "../../policy/types.ts";
import { hexDigest, parseIntegrity } from "../_shared/digests.ts";
import type { JsonCursor } from "../_shared/json_scan.ts";

/** What the abbreviated form keeps of a manifest; `hasInstallScript` is computed. */
export const ABBREVIATED_FIELDS: ReadonlySet<string> = new Set([
  "name",
  "version",
  "deprecated",
  "dependencies",
  "optionalDependencies",
  "devDependencies",
  "peerDependencies",
  "peerDependenciesMeta",
  "bundleDependencies",
  "bundledDependencies",
  "acceptDependencies",
  "bin",
  "directories",
  "dist",
  "engines",
  "cpu",
  "os",
  "libc",
  "funding",
  "_hasShrinkwrap",
]);

/** The members looked for, in packument and manifest alike: the scanner returns them as these very strings. */
export const KNOWN_KEYS: readonly string[] = [
  ...ABBREVIATED_FIELDS,
  "versions",
  "time",
  "dist-tags",
  "policyRestrictions",
  "stagedVersions",
  "_npmUser",
  "scripts",
  "gypfile",
  "hasInstallScript",
  "license",
  "licenses",
  "tarball",
  "integrity",
  "shasum",
  "attestations",
  "trustedPublisher",
  "approver",
  "preinstall",
  "install",
  "postinstall",
  "provenance",
];

const MAX_TEXT = 500;
const MAX_LICENCE = 100;
const MAX_NAME = 100;
const ABSENT = { known: false, why: "absent" } as const;
const MALFORMED = { known: false, why: "malformed" } as const;
const YES = { known: true, value: true } as const;
const NO = { known: true, value: false } as const;
const TRUSTED = { known: true, value: "trusted-publisher" } as const;
const PROVENANCE = { known: true, value: "provenance" } as const;
const NONE = { known: true, value: "none" } as const;

/** Offsets are of the tarball's string with its quotes; 0 and 0 where there is none. */
export interface Manifest {
  readonly name: string | null;
  readonly version: string | null;
  readonly tarball: string | null;
  readonly tarballStart: number;
  readonly tarballEnd: number;
  readonly digests: readonly Digest[];
  readonly trust: Fact<TrustLevel>;
  readonly deprecated: Fact<string | false>;
  readonly licence: Fact<string>;
  readonly runsCodeOnInstall: Fact<boolean>;
  readonly publisher: Fact<string>;
}

interface Dist {
  readonly tarball: string | null;
  readonly tarballStart: number;
  readonly tarballEnd: number;
  readonly digests: readonly Digest[];
  readonly provenance: boolean;
}

interface User {
  readonly name: string | null;
  readonly trusted: boolean;
}

const NO_DIST: Dist = { tarball: null, tarballStart: 0, tarballEnd: 0, digests: [], provenance: false };

/** Facts by their text: a licence and a publisher stand in one release after another, and are kept once. */
export type Texts = (text: string) => Fact<string>;

/** For one document. */
export function createTexts(): Texts {
  const facts = new Map<string, Fact<string>>();
  return (text) => {
    let fact = facts.get(text);
    if (fact === undefined) facts.set(text, fact = { known: true, value: text });
    return fact;
  };
}

/** Reads the manifest at hand; null, and nothing moves, where it is no object. */
export function readManifest(cursor: JsonCursor, texts: Texts): Manifest | null {
  if (!cursor.enter()) return null;
  let name: string | null = null;
  let version: string | null = null;
  let dist = NO_DIST;
  let user: User | null = null;
  let runsCode = false;
  let deprecated: Fact<string | false> = ABSENT;
  let licence: Fact<string> = ABSENT;
  for (let key = cursor.key(); key !== null; key = cursor.key()) {
    if (!cursor.isKnown) continue;
    switch (key) {
      // A name or version that is no string is never the right one.
      case "name":
        name = cursor.string() ?? "";
        break;
      case "version":
        version = cursor.string() ?? "";
        break;
      case "dist":
        dist = readDist(cursor);
        break;
      case "_npmUser":
        user = readUser(cursor);
        break;
      case "scripts":
        runsCode = readScripts(cursor) || runsCode;
        break;
      // Without an install script of its own, npm runs node-gyp where the package has a binding.gyp.
      case "gypfile":
      case "hasInstallScript":
        runsCode = cursor.value() === true || runsCode;
        break;
      case "deprecated":
        deprecated = deprecation(cursor.value(), texts);
        break;
      case "license":
        licence = licenceOf(cursor.string() ?? cursor.value(), texts);
        break;
      case "licenses":
        if (!licence.known) licence = licenceOf(cursor.value(), texts);
        break;
    }
  }
  return {
    name,
    version,
    tarball: dist.tarball,
    tarballStart: dist.tarballStart,
    tarballEnd: dist.tarballEnd,
    digests: dist.digests,
    trust: trustOf(user, dist.provenance),
    deprecated,
    licence,
    runsCodeOnInstall: runsCode ? YES : NO,
    publisher: user?.name ? texts(user.name) : ABSENT,
  };
}

function readDist(cursor: JsonCursor): Dist {
  if (!cursor.enter()) return NO_DIST;
  let tarball: string | null = null;
  let tarballStart = 0;
  let tarballEnd = 0;
  let integrity: string | null = null;
  let shasum: string | null = null;
  let provenance = false;
  for (let key = cursor.key(); key !== null; key = cursor.key()) {
    if (!cursor.isKnown) continue;
    switch (key) {
      case "tarball":
        tarballStart = cursor.position;
        tarball = cursor.string();
        // Whatever stands there is replaced, so that no other address survives.
        cursor.skip();
        tarballEnd = cursor.position;
        break;
      case "integrity":
        integrity = cursor.string();
        break;
      case "shasum":
        shasum = cursor.string();
        break;
      case "attestations":
        provenance = readAttestations(cursor);
        break;
    }
  }
  return { tarball, tarballStart, tarballEnd, digests: digestsOf(integrity, shasum), provenance };
}

/** The strongest digests of the integrity, and SHA-1 where it stands alone or beside. */
function digestsOf(integrity: string | null, shasum: string | null): readonly Digest[] {
  const claimed = integrity === null ? [] : parseIntegrity(integrity);
  const strong = claimed.filter((digest) => digest.algorithm === "sha512");
  const digests = strong.length > 0 ? strong : claimed;
  const sha1 = shasum === null ? null : hexDigest("sha1", shasum);
  if (sha1 === null || digests.some((digest) => digest.algorithm === "sha1" && digest.hex === sha1.hex)) {
    return digests;
  }
  return [...digests, sha1];
}

function readAttestations(cursor: JsonCursor): boolean {
  if (!cursor.enter()) return false;
  let provenance = false;
  for (let key = cursor.key(); key !== null; key = cursor.key()) {
    if (key === "provenance") provenance = isObject(cursor.value());
  }
  return provenance;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** `trustedPublisher` (that spelling) is trusted publishing; `approver` a staged release that a person approved. */
function readUser(cursor: JsonCursor): User | null {
  if (!cursor.enter()) return null;
  let name: string | null = null;
  let trusted = false;
  for (let key = cursor.key(); key !== null; key = cursor.key()) {
    if (key === "name") name = cursor.string()?.slice(0, MAX_NAME) ?? null;
    if (key === "trustedPublisher" || key === "approver") trusted = isObject(cursor.value()) || trusted;
  }
  return { name, trusted };
}

/** Mirrors drop `_npmUser`: where neither it nor an attestation is there, nothing is known. */
function trustOf(user: User | null, provenance: boolean): Fact<TrustLevel> {
  if (user?.trusted) return TRUSTED;
  if (provenance) return PROVENANCE;
  return user === null ? ABSENT : NONE;
}

function readScripts(cursor: JsonCursor): boolean {
  if (!cursor.enter()) return false;
  let runs = false;
  for (let key = cursor.key(); key !== null; key = cursor.key()) {
    if (!cursor.isKnown) continue;
    if (key === "preinstall" || key === "install" || key === "postinstall") {
      runs = (cursor.string() ?? "") !== "" || runs;
    }
  }
  return runs;
}

/** An empty text takes a deprecation back. */
function deprecation(value: unknown, texts: Texts): Fact<string | false> {
  if (value === "" || value === false || value === null) return NO;
  if (value === true) return texts("deprecated");
  return typeof value === "string" ? texts(value.slice(0, MAX_TEXT)) : MALFORMED;
}

/** A string, the older `{type}`, or the oldest list of them. */
function licenceOf(value: unknown, texts: Texts): Fact<string> {
  const list = Array.isArray(value) ? value : [value];
  const names = list.map((entry) =>
    isObject(entry) && Object.hasOwn(entry, "type") ? Reflect.get(entry, "type") : entry
  );
  const named = names.filter((name): name is string => typeof name === "string" && name !== "");
  if (named.length === 0) return value === null ? ABSENT : MALFORMED;
  return texts(named.join(" OR ").slice(0, MAX_LICENCE));
}
