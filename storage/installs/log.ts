/** Who was given what. A record is durable once `append` resolves; folding it into KV's indexes comes later. */
import type { EpochMs } from "../../policy/types.ts";

export type InstallOutcome = "served" | "partial" | "refused" | "observed";

/** Every text is bounded and well-formed before it joins a batch (`bounded()` in record.ts). */
export interface InstallRecord {
  /** Unique and rising with time; the fold is idempotent by it. */
  readonly id: string;
  readonly at: EpochMs;
  readonly organisation: string;
  readonly user: string | null;
  readonly address: string;
  readonly client: string;
  readonly clientVersion: string;
  readonly ecosystem: string;
  readonly package: string;
  readonly version: string;
  readonly file: string;
  /** `sha256:…`, or `""` where nothing was served. */
  readonly digest: string;
  readonly bytes: number;
  readonly cache: "hit" | "miss" | "none";
  readonly outcome: InstallOutcome;
  /** `observed`: what would have been; `refused`: the rule. Else `""`. */
  readonly rule: string;
  readonly decisionId: string;
}

export interface InstallLog {
  /** Resolves when the record survives SIGKILL. Rejects with StorageError: then the answer must not be completed. */
  append(record: InstallRecord): Promise<void>;
  /** The client went away: marks a record that was appended as `partial`. */
  markPartial(record: InstallRecord, bytesSent: number): Promise<void>;
  /** Versions of a package that this user was served, from the folded indexes and the tail; for audit fixes. */
  versionsOf(
    query: {
      readonly organisation: string;
      readonly user: string;
      readonly ecosystem: string;
      readonly package: string;
    },
  ): Promise<readonly string[]>;
  /** Folds what was appended into KV's indexes; safe to call from several processes. */
  fold(): Promise<void>;
  /** Writes out what waits. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
