/** For policy/'s tests only: a version scheme on the semver package, and facts in few words. */
import semver from "semver";
import { parseFloor, type ParseOptions, parsePolicy } from "./config.ts";
import { epochMs, parseInstant } from "./instant.ts";
import { resolvePolicy } from "./resolve.ts";
import type { Rule } from "./rules/rule.ts";
import type {
  Artifact,
  Decisions,
  EpochMs,
  Fact,
  FirstSeen,
  Freeze,
  Joined,
  PackageFacts,
  Release,
  ResolvedPolicy,
  TrustLevel,
  VersionScheme,
  Waiver,
} from "./types.ts";

/** Semver's order (build metadata apart), then whatever is no semver below it by code unit. */
export const SCHEME: VersionScheme = {
  compare(a, b) {
    const [left, right] = [semver.parse(a), semver.parse(b)];
    if (left === null && right === null) return a < b ? -1 : a > b ? 1 : 0;
    if (left === null || right === null) return left === null ? -1 : 1;
    return left.compare(right);
  },
  isValid: (version) => semver.valid(version) !== null,
  isPrerelease: (version) => (semver.prerelease(version)?.length ?? 0) > 0,
  line: (version) => String(semver.parse(version)?.major ?? ""),
};

export const NPM = { id: "npm", purlType: "npm", versions: SCHEME };

/** Throws for a text that is no instant. */
export function at(text: string): EpochMs {
  const instant = parseInstant(text);
  if (instant === null) throw new Error(`Cannot read instant "${text}"`);
  return instant;
}

export const NOW = at("2026-11-21T09:00:00Z");
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export function ago(milliseconds: number): EpochMs {
  return epochMs(NOW - milliseconds);
}

export function known<T>(value: T): Fact<T> {
  return { known: true, value };
}

export const ABSENT: Fact<never> = { known: false, why: "absent" };

export interface FileWords {
  readonly filename?: string;
  readonly published?: EpochMs | null;
  readonly clock?: "registry" | "publisher";
  readonly yanked?: boolean | "malformed";
  readonly trust?: TrustLevel;
}

export interface ReleaseWords extends FileWords {
  readonly deprecated?: string | false;
  /** Instead of one file made of the words above. */
  readonly files?: readonly FileWords[];
}

export function fileOf(version: string, words: FileWords): Artifact {
  const { published = ago(100 * DAY), clock = "registry", yanked, trust } = words;
  return {
    filename: words.filename ?? `pkg-${version}.tgz`,
    digests: [],
    sizeBytes: null,
    publishedAt: published === null ? ABSENT : known({ at: published, clock }),
    yanked: yanked === "malformed"
      ? { known: false, why: "malformed" }
      : yanked === undefined
      ? ABSENT
      : known(yanked),
    trust: trust === undefined ? ABSENT : known(trust),
    url: null,
  };
}

export function releaseOf(version: string, words: ReleaseWords = {}): Release {
  return {
    version,
    artifacts: (words.files ?? [words]).map((file) => fileOf(version, file)),
    deprecated: words.deprecated === undefined ? ABSENT : known(words.deprecated),
    licence: ABSENT,
    runsCodeOnInstall: ABSENT,
    publisher: ABSENT,
  };
}

/** One package; releases are put in version order. */
export function packageOf(releases: Readonly<Record<string, ReleaseWords>>, name = "pkg"): PackageFacts {
  const versions = Object.keys(releases).sort(SCHEME.compare);
  return {
    purlType: "npm",
    name,
    releases: versions.map((version) => releaseOf(version, releases[version])),
  };
}

export interface PolicyWords {
  readonly policy?: unknown;
  readonly floor?: unknown;
  readonly waivers?: readonly Waiver[];
  readonly freezes?: readonly Freeze[];
  readonly rules?: readonly Rule[];
}

/** Throws with every mistake where a document cannot be read. */
export function resolved(words: PolicyWords, options: ParseOptions = {}): ResolvedPolicy {
  const document = parsePolicy(words.policy ?? {}, options);
  const floor = parseFloor(words.floor ?? {}, options);
  if (!document.ok) throw new Error(JSON.stringify(document.errors));
  if (!floor.ok) throw new Error(JSON.stringify(floor.errors));
  return resolvePolicy({
    document: document.document,
    floor: floor.document,
    waivers: words.waivers ?? [],
    ...(words.freezes === undefined ? {} : { freezes: words.freezes }),
    ...(words.rules === undefined ? {} : { rules: words.rules }),
    ecosystem: NPM,
  });
}

export interface DecideWords extends PolicyWords {
  readonly facts: PackageFacts;
  /** By filename; what is not listed was never seen. */
  readonly seen?: Readonly<Record<string, FirstSeen>>;
  readonly grants?: readonly string[];
  readonly now?: EpochMs;
  readonly asOf?: EpochMs;
}

export function decided(words: DecideWords): Decisions {
  return resolved(words).decide(words.facts, joinedOf(words), words.now ?? NOW, words.asOf);
}

/** When what is decided as of an instant changes, sorted. */
export function changesIn(words: DecideWords): readonly EpochMs[] {
  const changes = [...resolved(words).changes(words.facts, joinedOf(words), words.now ?? NOW)];
  return changes.filter((change) => change !== undefined).sort((a, b) => a - b);
}

function joinedOf(words: DecideWords): Joined {
  return {
    firstSeen: (filename) => words.seen?.[filename] ?? null,
    grants: new Set(words.grants ?? []),
    digest: "test",
  };
}

export function waiverOf(words: Partial<Waiver> = {}): Waiver {
  return {
    id: "w1",
    ecosystem: "npm",
    name: "pkg",
    version: "1.0.0",
    reason: "needed",
    owner: "ann",
    createdAt: ago(DAY),
    until: epochMs(NOW + DAY),
    kind: "granted",
    ...words,
  };
}
