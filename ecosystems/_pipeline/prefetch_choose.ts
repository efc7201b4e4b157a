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
  /** Of each of these, one has to be its bytes' own: the registry states none of that kind. */
  readonly unstated: readonly (readonly Digest[])[];
}

/** What is wanted of a release. */
export interface FilesWanted {
  /** null: all of them. */
  readonly files: readonly LockedFile[] | null;
  /** All of them, beside those. */
  readonly isWhole?: boolean;
}

/**
 * Each file once. A line may list digests of files that the registry does not have any more, as long as one is there;
 * a file that it names must be there. Throws MissingError where none is.
 */
export function chooseFiles(
  release: Release,
  { files, isWhole = false }: FilesWanted,
  wants: (filename: string) => boolean = () => true,
): readonly Chosen[] {
  const { version, artifacts } = release;
  const chosen = new Map<string, Chosen>();
  const all = files === null || isWhole ? artifacts.map(({ filename }) => plain(version, filename)) : [];
  for (const each of [...all, ...(files ?? []).flatMap((file) => candidates(release, file))]) {
    const before = chosen.get(each.filename);
    chosen.set(
      each.filename,
      before === undefined ? each : {
        ...each,
        problem: before.problem ?? each.problem,
        unstated: [...before.unstated, ...each.unstated],
      },
    );
  }
  if (chosen.size === 0) throw new MissingError(`The registry lists no file of ${version} that is meant`);
  const isNarrowed = artifacts.length > 1;
  return [...chosen.values()].filter(({ filename }) => !isNarrowed || wants(filename));
}

function plain(version: string, filename: string): Chosen {
  return { version, filename, problem: null, unstated: [] };
}

function candidates(release: Release, file: LockedFile): readonly Chosen[] {
  const { filename, unread } = file;
  if (filename === null) return ofDigests(release, file);
  const artifact = release.artifacts.find((each) => each.filename === filename);
  const chosen = plain(release.version, filename);
  if (artifact === undefined) return [{ ...chosen, problem: `The registry lists no file ${filename}` }];
  if (unread !== undefined) return [{ ...chosen, problem: `${filename} is locked as ${unread}` }];
  return [heldAgainst(artifact, chosen, file.digests.map((digest) => [digest]))];
}

/** Those that a line means which names digests alone: any of them will do. */
function ofDigests({ version, artifacts }: Release, { digests, unread }: LockedFile): readonly Chosen[] {
  if (unread !== undefined) throw new MissingError(`${version} is locked as ${unread}`);
  if (digests.length === 0) return artifacts.map(({ filename }) => plain(version, filename));
  const same = artifacts.filter((artifact) => digests.some((digest) => states(artifact, digest)));
  if (same.length > 0) return same.map(({ filename }) => plain(version, filename));
  const [only, ...more] = artifacts;
  if (only !== undefined && more.length === 0) {
    return [heldAgainst(only, plain(version, only.filename), [digests])];
  }
  const named = digests.slice(0, 3).map(textOf).join(", ");
  throw new MissingError(
    `No file of ${version} that the registry lists has a digest that is locked (${named})`,
  );
}

/** One of each group has to be the file's. */
function heldAgainst(artifact: Artifact, chosen: Chosen, groups: readonly (readonly Digest[])[]): Chosen {
  const open = groups.filter((group) => !group.some((digest) => states(artifact, digest)));
  const unstated = open.map((group) =>
    group.filter(({ algorithm }) => statedBy(artifact, algorithm) === null)
  );
  const against = open.find((_, index) => unstated[index]!.length === 0)?.[0];
  if (against === undefined) return { ...chosen, unstated };
  const stated = textOf(statedBy(artifact, against.algorithm)!);
  const problem = `${artifact.filename} is locked as ${textOf(against)}, but the registry has ${stated}`;
  return { ...chosen, problem };
}

function statedBy({ digests }: Artifact, algorithm: Digest["algorithm"]): Digest | null {
  return digests.find((digest) => digest.algorithm === algorithm) ?? null;
}

function states({ digests }: Artifact, { algorithm, hex }: Digest): boolean {
  return digests.some((digest) => digest.algorithm === algorithm && digest.hex === hex);
}

/** For a message: enough to tell it from another. */
export function textOf({ algorithm, hex }: Digest): string {
  return `${algorithm}:${hex.slice(0, 16)}…`;
}
