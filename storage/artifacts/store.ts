/** Where bytes are kept. Absence is null; failure throws StorageError. */
import type { Digest } from "../../policy/types.ts";
import type { Guard } from "./verify.ts";

/** A blob's name: `sha256/{two hex}/{64 hex}`, the digest of its own bytes as computed here. */
export type BlobKey = string & { readonly __brand: "blob-key" };

export interface BlobStat {
  readonly key: BlobKey;
  readonly sizeBytes: number;
}

/** Inclusive, as in HTTP: the first and the last byte. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** The body must be read to its end or cancelled. */
export interface StoredBlob extends BlobStat {
  readonly body: ReadableStream<Uint8Array>;
}

export interface PutOptions {
  /** Every one is checked, as are their lengths; a mismatch throws IntegrityError and nothing is kept. */
  readonly expect?: readonly Digest[];
  readonly expectSizeBytes?: number | null;
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
  /** Of `expect` and the bounds, where it sees the body's bytes on their way here already; the store asks it at the end. */
  readonly guard?: Guard;
  /** A readable name beside the blob, for the person who looks into the folder: `npm/is-odd/is-odd-3.0.1.tgz`. */
  readonly label?: string;
  /** Called before the promise resolves where the blob was not there before; at two puts at once perhaps by both. */
  readonly onAdded?: () => void;
}

/** One suite in tests/suites/artifact_store.ts holds for every driver. */
export interface ArtifactStore {
  stat(key: BlobKey): Promise<BlobStat | null>;
  /** Throws RangeError for a range that does not lie within the blob. */
  get(key: BlobKey, range?: ByteRange): Promise<StoredBlob | null>;
  /** Whole, for small blobs and documents; null if absent or larger than `maxBytes`. */
  read(key: BlobKey, maxBytes: number): Promise<Uint8Array | null>;
  /** All or nothing: visible under its own digest once the promise resolves, never before. */
  put(body: ReadableStream<Uint8Array> | Uint8Array, options: PutOptions): Promise<BlobStat>;
  delete(key: BlobKey): Promise<boolean>;
  list(prefix?: string): AsyncIterable<BlobStat>;
  /** Ends what is held open (connections), where something is; no other call may follow. */
  close?(): Promise<void>;
}
