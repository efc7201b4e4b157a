/** What is known of a package: one record that points at documents and facts, set with a check. */
import type { EpochMs, FirstSeen, PackageFacts } from "../../policy/types.ts";
import type { BlobKey } from "../artifacts/store.ts";
import type { EncodedChunks } from "./chunks.ts";

export { createFiles } from "./files.ts";
export { createPackages } from "./package_store.ts";

export interface PackageKey {
  readonly ecosystem: string;
  readonly upstreamId: string;
  /** `public`, or an upstream's id: first-seen times are kept by scope and outlive a purge. */
  readonly scope: string;
  readonly subject: "package" | "catalogue";
  readonly name: string;
}

/** One raw document: where its bytes are and how to ask for a newer one. */
export interface DocumentRecord {
  readonly key: string;
  readonly url: string;
  readonly status: 200 | 404;
  readonly contentType: string;
  /** null for a 404. */
  readonly blob: BlobKey | null;
  readonly sizeBytes: number;
  readonly etag: string | null;
  readonly lastModified: string | null;
  readonly fetchedAt: EpochMs;
}

export interface PackageRecord {
  readonly v: 1;
  /** Upstream said authoritatively that there is no such package. */
  readonly absent: boolean;
  readonly documents: readonly DocumentRecord[];
  /** SHA-256 (hex) of the encoded facts; `""` where absent, or for a catalogue without facts. */
  readonly factsDigest: string;
  /** When upstream last confirmed all of it. */
  readonly checkedAt: EpochMs;
  /** What its documents say it is, in one line, for searches; absent where they say nothing. */
  readonly description?: string;
}

/** When a package, and each file that came later, was first seen by this Sluice. */
export interface FirstSeenTimes {
  readonly packageAt: EpochMs;
  /** null: this file was never seen (it is not in any document that was committed). */
  of(filename: string): FirstSeen | null;
}

/** What a commit left there, so that nobody has to read it again. */
export interface Committed {
  readonly versionstamp: string;
  /** null: a record without facts. */
  readonly firstSeen: FirstSeenTimes | null;
}

export interface Packages {
  get(key: PackageKey): Promise<{ readonly record: PackageRecord; readonly versionstamp: string } | null>;
  /** null: the record was replaced meanwhile, read it again; or it is one without facts (`factsDigest` is `""`). */
  facts(key: PackageKey, record: PackageRecord): Promise<PackageFacts | null>;
  /** `undefined`: the record was replaced meanwhile; `null`: it has none. */
  layout(key: PackageKey, record: PackageRecord): Promise<unknown>;
  firstSeen(key: PackageKey): Promise<FirstSeenTimes | null>;
  /**
   * Replaces record, facts and layout at once, and adds files not seen before to the first-seen times with
   * `record.checkedAt` (in the same atomic commit, or before it: never after). null: somebody else was
   * faster (`expected` no longer holds); read again. Throws TypeError where `record.factsDigest` is not that of
   * `encodeFacts(facts)`.
   */
  commit(
    key: PackageKey,
    next: {
      readonly record: PackageRecord;
      readonly facts: PackageFacts | null;
      readonly layout: unknown;
      /** `encodeFacts(facts)` in chunks, where the caller has them: spares doing it again. */
      readonly encodedFacts?: EncodedChunks;
    },
    expected: string | null,
  ): Promise<Committed | null>;
  /**
   * Renews `checkedAt` (a 304, or the same bytes again), and the validators. Throws TypeError where the record
   * names other facts or other blobs: that is a commit.
   */
  touch(key: PackageKey, record: PackageRecord, expected: string): Promise<boolean>;
  /** First-seen times stay. */
  delete(key: PackageKey): Promise<void>;
  list(ecosystem?: string): AsyncIterable<{ readonly key: PackageKey; readonly record: PackageRecord }>;
}

/** Which blob an artifact is. */
export interface FileRecord {
  readonly v: 1;
  readonly blob: BlobKey;
  readonly sizeBytes: number;
  readonly contentType: string;
  /** The digests that upstream's index stated and that were checked, as `algorithm:hex`. */
  readonly verified: readonly string[];
  readonly filledAt: EpochMs;
  /** When upstream was last asked whether it still has it. */
  readonly confirmedAt?: EpochMs;
}

export interface Files {
  get(key: PackageKey, filename: string): Promise<FileRecord | null>;
  put(key: PackageKey, filename: string, record: FileRecord): Promise<void>;
  delete(key: PackageKey, filename: string): Promise<void>;
}
