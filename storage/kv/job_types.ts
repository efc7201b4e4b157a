/** Jobs as they are given, kept and done. */
import type { EpochMs } from "../../policy/types.ts";

/** As kept in KV. */
export interface Job {
  readonly v: 1;
  readonly id: string;
  readonly kind: string;
  readonly key: string;
  readonly payload: unknown;
  readonly enqueuedAt: EpochMs;
  /** When it is due, or (claimed) when the claim ends. */
  readonly runAt: EpochMs;
  /** How often it was begun. */
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly keepKeyMs: number;
  readonly lastError: string | null;
}

export interface NewJob {
  readonly kind: string;
  /** Among jobs of its kind: another job with the same key is not taken while this one is there. */
  readonly key: string;
  /** Structured-clonable, at most 32 kB as JSON. */
  readonly payload: unknown;
  /** Default: now. */
  readonly runAt?: EpochMs;
  readonly maxAttempts?: number;
  /** The key stays taken for at least so long, even if the job is done. Default 0. */
  readonly keepKeyMs?: number;
}

/** Throws PermanentJobError to give up at once, anything else to be tried again. */
export type JobHandler = (job: Job, signal: AbortSignal) => Promise<void>;

/** A job that cannot succeed by being tried again. */
export class PermanentJobError extends Error {
  override readonly name = "PermanentJobError";
}

export interface RunResult {
  readonly done: number;
  readonly failed: number;
  readonly dead: number;
}

export interface RunOptions {
  /** So many jobs at most. Default 100. */
  readonly limit?: number;
  /** So many at the same time. Default 4. */
  readonly concurrency?: number;
  /** Nothing more is begun, and the handlers' signals abort. */
  readonly signal?: AbortSignal;
}

export interface Jobs {
  /** Its id; null: the key is taken. Throws StorageError. */
  enqueue(job: NewJob): Promise<string | null>;
  /** Those due at `now` (default: the clock's), the longest due first, at most `limit` (100). */
  due(options?: { readonly now?: EpochMs; readonly limit?: number }): Promise<readonly Job[]>;
  /** Does what is due now; kinds without a handler are left to others. */
  runDue(handlers: Readonly<Record<string, JobHandler>>, options?: RunOptions): Promise<RunResult>;
  /** Those that were given up in the last seven days. */
  dead(): Promise<readonly Job[]>;
}
