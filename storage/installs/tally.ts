/** What is added up: how often, how much, from when to when. Additive, so that the order of folding does not matter. */
import type { EpochMs } from "../../policy/types.ts";
import type { InstallOutcome, InstallRecord } from "./log.ts";
import type { LogEntry } from "./record.ts";

/** Counts by outcome. An amendment moves one from its outcome to `partial` and corrects the bytes. */
export interface Tally extends Readonly<Record<InstallOutcome, number>> {
  readonly first: EpochMs;
  readonly last: EpochMs;
  readonly bytes: number;
}

/** What one line adds. */
export function tallyOf({ record, cutOffAt }: LogEntry): Tally {
  const counts = { served: 0, partial: 0, refused: 0, observed: 0 };
  const span = { first: record.at, last: record.at };
  if (cutOffAt === null) return { ...counts, [record.outcome]: 1, ...span, bytes: record.bytes };
  counts[record.outcome] -= 1;
  counts.partial += 1;
  return { ...counts, ...span, bytes: cutOffAt - record.bytes };
}

export function addTallies(a: Tally, b: Tally): Tally {
  return {
    first: Math.min(a.first, b.first) as EpochMs,
    last: Math.max(a.last, b.last) as EpochMs,
    served: a.served + b.served,
    partial: a.partial + b.partial,
    refused: a.refused + b.refused,
    observed: a.observed + b.observed,
    bytes: a.bytes + b.bytes,
  };
}

/** The record as it stands after an amendment. */
export function amended(record: InstallRecord, cutOffAt: number): InstallRecord {
  return { ...record, outcome: "partial", bytes: cutOffAt };
}

/** A rule spoke against it: it was refused, or would have been where the policy only observes. */
export function wasRefused(record: InstallRecord): boolean {
  if (record.outcome === "partial") return record.rule !== "";
  return record.outcome === "refused" || record.outcome === "observed";
}
