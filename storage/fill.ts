/** An artifact that is not here yet: upstream → digest check → client and store at once; the fill outlives the client. */
import type { Digest } from "../policy/types.ts";
import type { BlobStat } from "./artifacts/store.ts";
import type { OpenedArtifact } from "./upstream/upstream.ts";

export interface FillRequest {
  /** One fill per key at a time; equal requests join it. */
  readonly key: string;
  readonly open: (signal: AbortSignal) => Promise<OpenedArtifact | null>;
  readonly expect: readonly Digest[];
  readonly expectSizeBytes: number | null;
  readonly maxBytes: number;
  readonly label: string;
  /** Called once, when the blob is visible and before any follower gets its last byte. */
  readonly kept: (stat: BlobStat) => Promise<void>;
}

/** One client's view of a fill. */
export interface Following {
  /**
   * The bytes from `offset` 0. Ends only after they were verified and kept; errors with IntegrityError or
   * UpstreamError else. A follower that falls behind the window goes on from the store.
   */
  readonly body: ReadableStream<Uint8Array>;
  /**
   * Resolves when the blob is verified and visible, and `kept` has resolved; null: a body of which nothing was
   * known beforehand, passed through and not kept. Rejects with what failed. Never unhandled.
   */
  readonly done: Promise<BlobStat | null>;
  /** What `done` resolves to, where it was known already when `follow` resolved (small files): a length may be stated. */
  readonly verified: BlobStat | null;
}

export interface Fills {
  /**
   * Joins or starts the fill. null: upstream says that there is no such file. Rejects before the first byte
   * where upstream fails before it.
   */
  follow(request: FillRequest): Promise<Following | null>;
  /** How many fills run now. */
  readonly running: number;
  /** Resolves when no fill runs any more, or after `withinMs`. */
  drain(withinMs: number): Promise<void>;
}
