/** Where a release's tarball is, and by which file name it is asked for here. */
import type { Digest } from "../../policy/types.ts";
import { packumentPath, standardFilename, tarballFolder } from "./name.ts";

/** npm's own public registry; the one place where its address is written. */
export const PUBLIC_REGISTRY = "https://registry.npmjs.org/";

const SAFE_FILENAME = /^[A-Za-z0-9_~!'()*][A-Za-z0-9._~!'()*+@-]{0,250}\.(?:tgz|tar\.gz)$/;

/** `url` is null where the tarball stands in the usual place, `{name}/-/{filename}` below the upstream's root. */
export interface Tarball {
  readonly filename: string;
  readonly url: string | null;
}

/** One release's claim to a file name. */
export interface TarballClaim {
  readonly version: string;
  tarball: Tarball;
  readonly digests: readonly Digest[];
}

/**
 * Reads `dist.tarball` texts of one packument. Links that a mirror left at npm's own registry are taken to be
 * below the mirror's root, as npm's `replace-registry-host` does.
 */
export function createTarballReader(
  options: { readonly name: string; readonly documentUrl: string },
): (version: string, text: string | null) => Tarball {
  const { name, documentUrl } = options;
  const folders = foldersOf(name, documentUrl);

  function read(version: string, text: string | null): Tarball {
    const standard: Tarball = { filename: standardFilename(name, version), url: null };
    if (text === null) return standard;
    const plain = withoutScheme(text);
    for (const folder of folders) {
      if (!plain.startsWith(folder)) continue;
      const filename = plain.slice(folder.length);
      if (SAFE_FILENAME.test(filename)) return { filename, url: null };
    }
    return readElsewhere(text, documentUrl, standard);
  }

  return read;
}

/** Any other link: its last segment is the name if it is usable as one, else the name npm would have given. */
function readElsewhere(text: string, documentUrl: string, standard: Tarball): Tarball {
  const url = URL.parse(text, documentUrl);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) return standard;
  url.username = "";
  url.password = "";
  url.hash = "";
  const filename = decode(url.pathname.slice(url.pathname.lastIndexOf("/") + 1));
  return { filename: SAFE_FILENAME.test(filename) ? filename : standard.filename, url: url.href };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return "";
  }
}

/** Old packuments of a registry that moved to TLS still say `http:`. */
function withoutScheme(url: string): string {
  return url.replace(/^https?:/, "");
}

function foldersOf(name: string, documentUrl: string): readonly string[] {
  const roots = [rootOf(name, documentUrl), PUBLIC_REGISTRY].filter((root) => root !== null);
  const below = [tarballFolder(name), `${name}/-/`, `${packumentPath(name)}/-/`];
  return [...new Set(roots.flatMap((root) => below.map((folder) => withoutScheme(root) + folder)))];
}

/** The registry's root, from the address that the packument was read from; null where that ends otherwise. */
function rootOf(name: string, documentUrl: string): string | null {
  const address = documentUrl.replace(/[?#].*$/, "");
  const spellings = [
    packumentPath(name),
    packumentPath(name).replace("%2f", "%2F"),
    packumentPath(name).replace("%2f", "/"),
    name,
  ];
  const spelling = spellings.find((end) => address.endsWith(`/${end}`));
  return spelling === undefined ? null : address.slice(0, -spelling.length);
}

/** A packument that needs more rounds was made to: each of its names is then the one that npm would have given. */
const MAX_ROUNDS = 4;

/**
 * Makes file names mean one file each: releases that give one name to different files all get the name that npm
 * would have given, which is unique because it holds the version. The same file twice keeps its name. May pause at
 * every step.
 */
export function* settleFilenames(name: string, claims: readonly TarballClaim[]): Generator<undefined> {
  for (let changed = true, rounds = 1; changed; rounds++) {
    changed = false;
    const groups = rounds < MAX_ROUNDS ? (yield* groupByFilename(claims)).values() : [claims];
    let looked = 0;
    for (const group of groups) {
      if (++looked % CLAIMS_PER_SLICE === 0) yield undefined;
      if (group.length === 1 || group.every((claim) => sameFile(claim, group[0]!))) continue;
      for (const claim of group) {
        const filename = standardFilename(name, claim.version);
        if (claim.tarball.filename === filename) continue;
        claim.tarball = { filename, url: claim.tarball.url ?? tarballFolder(name) + claim.tarball.filename };
        changed = true;
      }
    }
  }
}

const CLAIMS_PER_SLICE = 1_000;

function* groupByFilename(
  claims: readonly TarballClaim[],
): Generator<undefined, Map<string, TarballClaim[]>> {
  const groups = new Map<string, TarballClaim[]>();
  for (const [at, claim] of claims.entries()) {
    if (at % CLAIMS_PER_SLICE === CLAIMS_PER_SLICE - 1) yield undefined;
    const group = groups.get(claim.tarball.filename);
    if (group === undefined) groups.set(claim.tarball.filename, [claim]);
    else group.push(claim);
  }
  return groups;
}

function sameFile(a: TarballClaim, b: TarballClaim): boolean {
  return a === b || (a.tarball.url === b.tarball.url && digestText(a) === digestText(b));
}

function digestText(claim: TarballClaim): string {
  return claim.digests.map((digest) => `${digest.algorithm}:${digest.hex}`).sort().join(" ");
}
