/** What a lockfile asks for, whatever its format. */
import type { Digest } from "../../../policy/types.ts";

/** One file that an entry locks. */
export interface LockedFile {
  /** null: it is known by its digests alone. */
  readonly filename: string | null;
  /** Empty: the format states none of the bytes that the registry has. Without a name, one of them has to be its. */
  readonly digests: readonly Digest[];
  /** Digests are written and none was understood: one of them, and why. */
  readonly unread?: string;
}

/** One entry. */
export interface LockedPackage {
  /** A purl type: `npm`, `pypi`, `cargo`; or one that no ecosystem here has. */
  readonly type: string;
  /** As it is written there. */
  readonly name: string;
  /** null: whichever is the newest that may be had. */
  readonly version: string | null;
  /** null: all files of the release. */
  readonly files: readonly LockedFile[] | null;
  /** Where it stands, for a person: `line 12`, `packages["node_modules/left-pad"]`. */
  readonly where: string;
}

/** An entry that no registry is asked for. */
export interface SkippedEntry {
  readonly where: string;
  /** `it is a git repository`. */
  readonly why: string;
}

/** In the file's order; the same release may stand there more than once. */
export interface Lockfile {
  readonly format: string;
  readonly packages: readonly LockedPackage[];
  readonly skipped: readonly SkippedEntry[];
}

/** Of its text, everything but the format's name. Throws SyntaxError, which names the place and what was expected. */
export type LockfileReader = (text: string) => Omit<Lockfile, "format">;
