/** Which of a release's files are meant: all of them, or those that a lockfile names, held against their digests. */
import type { Artifact, Digest, Release } from "../../policy/types.ts";
import type { LockedFile } from "../_shared/lockfiles/types.ts";

/** What is wanted is not there, in a sentence. */
export class MissingError extends Error {
  override readonly name = "MissingError";
}

export interface Chosen {
  readonly version: string;
  readonly filename: string;
  /** Why it cannot be the one; null: it is. */
  readonly problem: string | null;
}

/**
 * Each file once. A lockfile may list hashes of files that the registry does not have any more, as long as one is
 * there; a file that it names must be there. Throws MissingError where none is.
 */
export function chooseFiles(
  release: Release,
  locked: readonly LockedFile[] | null,
  wants: (filename: string) => boolean = () => true,
): readonly Chosen[] {
  const { version, artifacts } = release;
  const chosen = locked === null
    ? artifacts.map(({ filename }): Chosen => ({ version, filename, problem: null }))
    : lockedFiles(release, locked);
  if (chosen.length === 0) throw new MissingError(`The registry lists no file of ${version} that is meant`);
  const isNarrowed = artifacts.length > 1;
  return chosen.filter(({ filename }) => !isNarrowed || wants(filename));
}

function lockedFiles(release: Release, locked: readonly LockedFile[]): readonly Chosen[] {
  const chosen = new Map<string, Chosen>();
  for (const file of locked) {
    for (const each of candidates(release, file)) chosen.set(each.filename, each);
  }
  if (chosen.size === 0) {
    throw new MissingError(
      `No file of ${release.version} that the registry lists has a digest that is locked (${
        locked.flatMap(({ digests }) => digests).slice(0, 3).map(textOf).join(", ")
      })`,
    );
  }
  return [...chosen.values()];
}

function candidates(
  { version, artifacts }: Release,
  { filename, digests }: LockedFile,
): readonly Chosen[] {
  if (filename !== null) {
    const artifact = artifacts.find((each) => each.filename === filename);
    const problem = artifact === undefined
      ? `The registry lists no file ${filename}`
      : conflict(artifact, digests);
    return [{ version, filename, problem }];
  }
  const same = artifacts.filter((artifact) => digests.some((digest) => states(artifact, digest)));
  if (same.length > 0) return same.map((each) => ({ version, filename: each.filename, problem: null }));
  const [only, ...more] = artifacts;
  if (only === undefined || more.length > 0) return [];
  return [{ version, filename: only.filename, problem: conflict(only, digests) }];
}

/** Another digest of the same kind; null: none contradicts. */
function conflict(artifact: Artifact, digests: readonly Digest[]): string | null {
  const other = digests.find((digest) =>
    !states(artifact, digest) && artifact.digests.some(({ algorithm }) => algorithm === digest.algorithm)
  );
  if (other === undefined) return null;
  const stated = artifact.digests.find(({ algorithm }) => algorithm === other.algorithm)!;
  return `${artifact.filename} is locked as ${textOf(other)}, but the registry has ${textOf(stated)}`;
}

function states({ digests }: Artifact, { algorithm, hex }: Digest): boolean {
  return digests.some((digest) => digest.algorithm === algorithm && digest.hex === hex);
}

function textOf({ algorithm, hex }: Digest): string {
  return `${algorithm}:${hex.slice(0, 16)}…`;
}
