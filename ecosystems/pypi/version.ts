/** Versions by PEP 440 (PyPA, "Version specifiers"). */
import { parse as parsePep440 } from "@renovatebot/pep440";
import type { VersionScheme } from "../../policy/types.ts";

/** A version taken apart so that its parts compare one after another; -Infinity and Infinity stand for "none". */
interface Parsed {
  readonly epoch: number;
  /** Without zeros at its end. */
  readonly release: readonly number[];
  readonly phase: number;
  readonly pre: number;
  readonly post: number;
  readonly dev: number;
  readonly local: readonly (number | string)[];
  readonly isPrerelease: boolean;
}

const CACHED_VERSIONS = 20_000;
const MAX_VERSION = 200;
/** Above it numbers are no longer told apart. */
const TOO_LONG_NUMBER = /\d{16}/;
const SAFE_VERSION = /^[0-9A-Za-z](?:[0-9A-Za-z.!+_-]*[0-9A-Za-z])?$/;
const PHASES: readonly string[] = ["a", "b", "rc"];

/** May stand in a path and a purl as it is; old ones need not be PEP 440. */
export function isVersionText(text: string): boolean {
  return text.length <= MAX_VERSION && SAFE_VERSION.test(text);
}

/** PEP 440's order, in which `1.0` and `1.0.0` are equal; what it cannot read sorts below, by code unit. */
export const pypiVersions: VersionScheme = createScheme();

/** The same text for versions that are equal: `1.0.0`, `v1.0` and `1` are one release. */
export function versionKey(version: string): string {
  const parsed = pypiParse(version);
  if (parsed === null) return `legacy ${version.toLowerCase()}`;
  const { epoch, release, phase, pre, post, dev, local } = parsed;
  return [epoch, release.join("."), phase, pre, post, dev, local.join(".")].join("|");
}

function pypiParse(version: string): Parsed | null {
  if (version.length > MAX_VERSION || TOO_LONG_NUMBER.test(version)) return null;
  const parsed = parsePep440(version);
  if (parsed === null) return null;
  const release = [...parsed.release];
  while (release.length > 0 && release.at(-1) === 0) release.pop();
  const [phase, pre] = parsed.pre ?? [];
  const post = parsed.post?.[1];
  const dev = parsed.dev?.[1];
  // A development release of no pre- or post-release comes before all of them (PEP 440, "Summary of permitted
  // suffixes and relative ordering").
  const isBare = phase === undefined && post === undefined && dev !== undefined;
  return {
    epoch: parsed.epoch,
    release,
    phase: phase !== undefined ? PHASES.indexOf(String(phase)) : isBare ? -1 : PHASES.length,
    pre: Number(pre ?? 0),
    post: Number(post ?? -1),
    dev: Number(dev ?? Infinity),
    local: localOf(version),
    isPrerelease: phase !== undefined || dev !== undefined,
  };
}

function localOf(version: string): readonly (number | string)[] {
  const plus = version.indexOf("+");
  if (plus < 0) return [];
  return version.slice(plus + 1).toLowerCase().split(/[._-]/)
    .map((part) => /^\d+$/.test(part) ? Number(part) : part);
}

function comparePart(a: number | string, b: number | string): number {
  if (a === b) return 0;
  if (typeof a !== typeof b) return typeof a === "number" ? 1 : -1;
  return a < b ? -1 : 1;
}

function compareLists(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  for (const [index, part] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    const order = comparePart(part, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareParsed(a: Parsed, b: Parsed): number {
  return comparePart(a.epoch, b.epoch) || compareReleases(a.release, b.release) ||
    comparePart(a.phase, b.phase) || comparePart(a.pre, b.pre) || comparePart(a.post, b.post) ||
    comparePart(a.dev, b.dev) || compareLists(a.local, b.local);
}

function compareReleases(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const order = (a[index] ?? 0) - (b[index] ?? 0);
    if (order !== 0) return order;
  }
  return 0;
}

function createScheme(): VersionScheme {
  // Bounded: when full it starts anew, which costs one pass of parsing.
  const cache = new Map<string, Parsed | null>();

  function parse(version: string): Parsed | null {
    let parsed = cache.get(version);
    if (parsed !== undefined) return parsed;
    parsed = pypiParse(version);
    if (cache.size >= CACHED_VERSIONS) cache.clear();
    cache.set(version, parsed);
    return parsed;
  }

  function compare(a: string, b: string): number {
    if (a === b) return 0;
    const left = parse(a);
    const right = parse(b);
    if (left !== null && right !== null) return compareParsed(left, right);
    if (left !== null) return 1;
    if (right !== null) return -1;
    return a < b ? -1 : 1;
  }

  return Object.freeze({
    compare,
    isValid: (version: string) => parse(version) !== null,
    isPrerelease: (version: string) => parse(version)?.isPrerelease ?? false,
    line(version: string) {
      const parsed = parse(version);
      return parsed === null ? version : `${parsed.epoch}!${parsed.release[0] ?? 0}`;
    },
  });
}
