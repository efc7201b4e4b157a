/** What can be asked of the install log, and the rows that answer. Times are EpochMs, ranges `since` ≤ t < `until`. */
import type { EpochMs } from "../../policy/types.ts";
import type { InstallOutcome, InstallRecord } from "./log.ts";

export interface InstallFilters {
  /** Default: all of them. WARNING: callers that answer for one organisation must always set it. */
  readonly organisation?: string | undefined;
  readonly ecosystem?: string | undefined;
  readonly since?: EpochMs | undefined;
  readonly until?: EpochMs | undefined;
  /** Rows at most. */
  readonly limit?: number | undefined;
}

/** What is held against each record; names are exact. */
export interface RecordFilters extends InstallFilters {
  readonly package?: string | undefined;
  readonly user?: string | undefined;
  readonly version?: string | undefined;
  readonly outcome?: InstallOutcome | undefined;
}

export type CountFilters = Omit<RecordFilters, "outcome">;

/** A record's place in the log. */
export type Position = Pick<InstallRecord, "at" | "id">;

export interface RecordPage {
  readonly records: readonly InstallRecord[];
  /** The last that was looked at; null: there is nothing before it. */
  readonly next: Position | null;
}

/** `installs`: whole files, `observed` ones among them; `partial`: the client went away before the end. */
export interface Counted {
  readonly installs: number;
  readonly partial: number;
}

/** One user of one package. */
export interface WhoRow extends Counted {
  readonly organisation: string;
  readonly ecosystem: string;
  readonly package: string;
  /** null: callers without a name, all together. */
  readonly user: string | null;
  /** Every version that was sent, sorted by code unit. */
  readonly versions: readonly string[];
  readonly first: EpochMs;
  readonly last: EpochMs;
}

export interface PackageRow extends Counted {
  readonly organisation: string;
  readonly ecosystem: string;
  readonly package: string;
  readonly refused: number;
  readonly first: EpochMs;
  readonly last: EpochMs;
}

export interface UserRow extends PackageRow {
  readonly user: string;
  readonly version: string;
}

export type CountBy = "ecosystem" | "package" | "user" | "day";

/** What it is grouped by is set, the rest is absent; the total has none. */
export interface CountRow extends Counted {
  readonly ecosystem?: string;
  readonly package?: string;
  readonly user?: string | null;
  /** `2026-11-21`, UTC. */
  readonly day?: string;
  readonly refused: number;
  readonly bytes: number;
  /** Of the installs: those that `observe` let through against a rule. */
  readonly observed: number;
}

/** Questions see what was folded and what was not; each record counts once. All throw StorageError. */
export interface InstallQueries {
  /** Newest first. `%` at either end of the name stands for anything, and then case does not matter. */
  who(name: string, filters?: InstallFilters & { readonly version?: string | undefined }): Promise<WhoRow[]>;
  /** All distinct names, sorted by organisation, ecosystem and name. */
  packages(filters?: InstallFilters): Promise<PackageRow[]>;
  /** The most first; days newest first; without `by` one row. */
  count(filters?: CountFilters, by?: CountBy): Promise<CountRow[]>;
  /** What one user, or users by `%`, took and were refused, newest first. */
  user(name: string, filters?: InstallFilters): Promise<UserRow[]>;
  /** Newest first; 50 unless a limit is given. */
  recent(filters?: RecordFilters): Promise<InstallRecord[]>;
  /** What was refused, or would have been in `observe`; newest first, 50 unless a limit is given. */
  refused(filters?: RecordFilters): Promise<InstallRecord[]>;
  /** All records, oldest first; holds ten minutes of the log in memory. */
  export(filters?: RecordFilters): AsyncIterable<InstallRecord>;
  /** Newest first, from before `below` on; ends early where `mostLooked` records were looked at. */
  page(
    filters: RecordFilters,
    options: { readonly limit: number; readonly below: Position | null; readonly mostLooked: number },
  ): Promise<RecordPage>;
  /** The versions of exactly this package that exactly this user was sent whole. */
  versionsOf(query: {
    readonly organisation: string;
    readonly user: string;
    readonly ecosystem: string;
    readonly package: string;
  }): Promise<readonly string[]>;
}
