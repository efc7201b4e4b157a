/** An install record as it is written: bounded, named, one JSON line. */
import type { EpochMs } from "../../policy/types.ts";
import { StorageError } from "../errors.ts";
import type { Clock } from "../runtime.ts";
import type { InstallOutcome, InstallRecord } from "./log.ts";

/** One line of a journal or segment: a record, or the amendment that it was cut off. */
export interface LogEntry {
  readonly record: InstallRecord;
  /** Bytes that the client did get; null: this is the record itself, not an amendment. */
  readonly cutOffAt: number | null;
  /** As it was read, with its line feed, so that it need not be written anew. */
  readonly line?: string;
}

const FORMAT = 1;
const MAX_AT = 8_640_000_000_000_000;
const OUTCOMES: readonly string[] = ["served", "partial", "refused", "observed"];
const CACHES: readonly string[] = ["hit", "miss", "none"];
/** UTF-16 code units; with three bytes for each, every key stays below KV's 2,048 bytes. */
const BOUNDS = {
  id: 64,
  organisation: 63,
  user: 128,
  address: 64,
  client: 64,
  clientVersion: 64,
  ecosystem: 32,
  package: 320,
  version: 160,
  file: 320,
  digest: 160,
  rule: 64,
  decisionId: 100,
} as const;

/** The record with every text cut to its bound, well-formed and free of control characters, every number finite. */
export function bounded(record: InstallRecord): InstallRecord {
  return {
    id: text(record.id, BOUNDS.id),
    at: Math.min(whole(record.at), MAX_AT) as EpochMs,
    organisation: text(record.organisation, BOUNDS.organisation),
    user: record.user === null ? null : text(record.user, BOUNDS.user),
    address: text(record.address, BOUNDS.address),
    client: text(record.client, BOUNDS.client),
    clientVersion: text(record.clientVersion, BOUNDS.clientVersion),
    ecosystem: text(record.ecosystem, BOUNDS.ecosystem),
    package: text(record.package, BOUNDS.package),
    version: text(record.version, BOUNDS.version),
    file: text(record.file, BOUNDS.file),
    digest: text(record.digest, BOUNDS.digest),
    bytes: whole(record.bytes),
    cache: CACHES.includes(record.cache) ? record.cache : "none",
    outcome: OUTCOMES.includes(record.outcome) ? record.outcome : "served",
    rule: text(record.rule, BOUNDS.rule),
    decisionId: text(record.decisionId, BOUNDS.decisionId),
    ...(record.asOf === undefined ? {} : { asOf: Math.min(whole(record.asOf), MAX_AT) as EpochMs }),
  };
}

/** A name as `bounded` writes it, so that a question finds what was cut. */
export function boundedName(kind: "user" | "package" | "organisation" | "ecosystem", name: string): string {
  return text(name, BOUNDS[kind]);
}

function text(value: string, bound: number): string {
  // Nearly every text is short ASCII: one look, no copy.
  if (value.length <= bound && /^[\x20-\x7e]*$/.test(value)) return value;
  return value.slice(0, bound).toWellFormed().replace(/[\p{Cc}\u2028\u2029]/gu, "\ufffd");
}

function whole(value: number): number {
  if (!Number.isFinite(value) || value <= 0) return 0;
  return Math.min(Math.trunc(value), Number.MAX_SAFE_INTEGER);
}

/**
 * Names for records: rising within one process even if the clock steps back, sorted by time over several, and
 * unique over processes by `instance` and a suffix drawn once from `random` (0 ≤ n < 1).
 */
export function createRecordIds(clock: Clock, instance: string, random: () => number): () => string {
  const suffix = Math.floor(random() * 36 ** 6).toString(36).padStart(6, "0");
  const tail = `${instance.replace(/[^A-Za-z0-9]/g, "").slice(0, 16)}${suffix}`;
  let last = 0;
  let sequence = 0;
  return function nextId() {
    const now = clock();
    sequence = now > last ? 0 : sequence + 1;
    last = Math.max(now, last);
    return `${last.toString(36).padStart(9, "0")}-${sequence.toString(36).padStart(5, "0")}-${tail}`;
  };
}

/** One line with its line feed. The record must be bounded. */
export function encodeEntry({ record: r, cutOffAt, line }: LogEntry): string {
  if (line !== undefined) return line;
  return JSON.stringify([
    FORMAT,
    cutOffAt,
    r.id,
    r.at,
    r.organisation,
    r.user,
    r.address,
    r.client,
    r.clientVersion,
    r.ecosystem,
    r.package,
    r.version,
    r.file,
    r.digest,
    r.bytes,
    r.cache,
    r.outcome,
    r.rule,
    r.decisionId,
    // Where it is not there, the line is what it always was.
    ...(r.asOf === undefined ? [] : [r.asOf]),
  ]) + "\n";
}

/** null: not a line of this log (torn, or damaged). Throws StorageError for one that a newer Sluice wrote. */
export function decodeEntry(line: string): LogEntry | null {
  const fields = parseArray(line);
  if (fields === null) return null;
  const [format, cutOffAt, ...rest] = fields;
  if (typeof format === "number" && format > FORMAT) {
    throw new StorageError(
      `Cannot read install log: format ${format} is newer than ${FORMAT}; update Sluice`,
    );
  }
  if (format !== FORMAT || !(cutOffAt === null || isCount(cutOffAt))) return null;
  const record = toRecord(rest);
  return record === null ? null : { record, cutOffAt, line: `${line}\n` };
}

function parseArray(line: string): readonly unknown[] | null {
  try {
    const value: unknown = JSON.parse(line);
    return Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function toRecord(fields: readonly unknown[]): InstallRecord | null {
  const [id, at, organisation, user, address, client, clientVersion, ecosystem, name, version, file] = fields;
  const [digest, bytes, cache, outcome, rule, decisionId, asOf] = fields.slice(11);
  if (fields.length < 17 || fields.length > 18 || !isCount(at) || !isCount(bytes)) return null;
  if (fields.length === 18 && !isCount(asOf)) return null;
  if (!(user === null || typeof user === "string")) return null;
  if (!CACHES.includes(String(cache)) || !OUTCOMES.includes(String(outcome))) return null;
  const texts = [id, organisation, address, client, clientVersion, ecosystem, name, version, file, digest];
  if (![...texts, rule, decisionId].every((field) => typeof field === "string")) return null;
  return {
    id: id as string,
    at: at as EpochMs,
    organisation: organisation as string,
    user,
    address: address as string,
    client: client as string,
    clientVersion: clientVersion as string,
    ecosystem: ecosystem as string,
    package: name as string,
    version: version as string,
    file: file as string,
    digest: digest as string,
    bytes,
    cache: cache as InstallRecord["cache"],
    outcome: outcome as InstallOutcome,
    rule: rule as string,
    decisionId: decisionId as string,
    ...(fields.length === 18 ? { asOf: asOf as EpochMs } : {}),
  };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
