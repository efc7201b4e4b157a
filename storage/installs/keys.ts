/** Every key of the install log in KV; nothing else writes below `["installs"]`. */
import type { EpochMs } from "../../policy/types.ts";

export const DAY_MS = 86_400_000;
/** Records are kept in time order in buckets of this length. */
export const BUCKET_MS = 600_000;
/** Index values cover this many days each, so that a key is rewritten for a month and then never again. */
export const DAYS_PER_PERIOD = 32;

/** A user as a part of a key; `false`: the record has none. */
export type UserPart = string | false;

/** The two time-ordered copies of what was folded: all of it, and what a rule spoke against. */
export type TimelineKind = "log" | "refused";

/** `who`: package → users · `user`: user → packages · the rest: totals by day of a package, a user, an ecosystem. */
export type IndexKind = "who" | "user" | "package" | "person" | "total";

/** Set by every commit that changes an index: whoever commits checks that nobody else did meanwhile. */
export const HEAD_KEY: Deno.KvKey = ["installs", "head"];
export const CURSOR_PREFIX: Deno.KvKey = ["installs", "cursor"];
export const SEGMENT_PREFIX: Deno.KvKey = ["installs", "segment"];
/** There while another log is copied here: what is left of it otherwise is not whole. */
export const COPYING_KEY: Deno.KvKey = ["installs", "copying"];
/** Segments of a log that is being copied. */
export const PARKED_PREFIX: Deno.KvKey = ["installs", "parked"];
export const ORGANISATION_PREFIX: Deno.KvKey = ["installs", "organisation"];
export const FORGOTTEN_PREFIX: Deno.KvKey = ["installs", "forgotten"];

/** How far a journal file (bytes) or a segment (records) is folded. */
export function cursorKey(source: string): Deno.KvKey {
  return [...CURSOR_PREFIX, source];
}

export function segmentKey(id: string): Deno.KvKey {
  return [...SEGMENT_PREFIX, id];
}

export function organisationKey(organisation: string): Deno.KvKey {
  return [...ORGANISATION_PREFIX, organisation];
}

/** `digest` is of organisation and name, so that the name itself is not kept. */
export function forgottenKey(digest: string): Deno.KvKey {
  return [...FORGOTTEN_PREFIX, digest];
}

/** Days since 1970-01-01, UTC. */
export function dayOf(at: EpochMs): number {
  return Math.floor(at / DAY_MS);
}

export function periodOf(day: number): number {
  return Math.floor(day / DAYS_PER_PERIOD);
}

export function bucketOf(at: EpochMs): number {
  return Math.floor(at / BUCKET_MS);
}

/** Without the number of the chunk, which follows. */
export function timelineKey(kind: TimelineKind, organisation: string, bucket: number): Deno.KvKey {
  return ["installs", kind, organisation, bucket];
}

/** What an index key says. Parts that its kind has not are `""`, or `undefined` for the user. */
export interface IndexParts {
  readonly organisation: string;
  readonly ecosystem: string;
  readonly package: string;
  readonly user: UserPart | undefined;
  readonly period: number;
  readonly chunk: number;
}

type NewParts = Omit<IndexParts, "chunk" | "user"> & { readonly user: UserPart };

/** Without the number of the chunk, which follows. */
export function indexKey(kind: IndexKind, parts: NewParts): Deno.KvKey {
  const { organisation, ecosystem, user, period } = parts;
  if (kind === "who") return ["installs", kind, organisation, ecosystem, parts.package, user, period];
  if (kind === "user") return ["installs", kind, organisation, user, ecosystem, parts.package, period];
  if (kind === "package") return ["installs", kind, organisation, period, ecosystem, parts.package];
  if (kind === "person") return ["installs", kind, organisation, period, ecosystem, user];
  return ["installs", kind, organisation, period, ecosystem];
}

/** The inverse of `indexKey` with a chunk's number behind it. */
export function indexParts(kind: IndexKind, key: Deno.KvKey): IndexParts {
  const organisation = String(key[2]);
  const chunk = Number(key.at(-1));
  const user = (part: Deno.KvKeyPart | undefined): UserPart => part === false ? false : String(part);
  if (kind === "who") {
    const names = { ecosystem: String(key[3]), package: String(key[4]) };
    return { organisation, ...names, user: user(key[5]), period: Number(key[6]), chunk };
  }
  if (kind === "user") {
    const names = { ecosystem: String(key[4]), package: String(key[5]) };
    return { organisation, ...names, user: user(key[3]), period: Number(key[6]), chunk };
  }
  const period = Number(key[3]);
  const ecosystem = String(key[4]);
  if (kind === "package") {
    return { organisation, ecosystem, package: String(key[5]), user: undefined, period, chunk };
  }
  if (kind === "person") {
    return { organisation, ecosystem, package: "", user: user(key[5]), period, chunk };
  }
  return { organisation, ecosystem, package: "", user: undefined, period, chunk };
}
