/** Where first-seen times are in KV: in one value, or in chunks beside it. */
import type { EpochMs } from "../../policy/types.ts";
import { StorageError } from "../errors.ts";
import { paced } from "../paced.ts";
import type { Timers } from "../runtime.ts";
import { attempt } from "./call.ts";
import { deleteParts, encodeChunks, type EncodedChunks, type Parts, readParts } from "./chunks.ts";
import { addSeen, type FirstSeenBytes, firstSight } from "./first_seen.ts";

/** Larger ones are chunks: beside this value a commit holds a record and ten chunks. */
const MAX_INLINE_BYTES = 48_000;
const ATTEMPTS = 5;

/** Exactly one of the two is set. */
export interface FirstSeenRecord {
  readonly v: 1;
  readonly inline: Uint8Array | null;
  readonly parts: { readonly times: Parts | null };
}

export interface FirstSeenEntry {
  readonly key: Deno.KvKey;
  readonly versionstamp: string | null;
  readonly parts: Parts | null;
  /** null: never seen. */
  readonly bytes: FirstSeenBytes | null;
}

/** Throws StorageError where the times are damaged: they are never taken for "never seen". */
export async function readFirstSeenEntry(kv: Deno.Kv, key: Deno.KvKey): Promise<FirstSeenEntry> {
  for (let i = 0; i < ATTEMPTS; i++) {
    const entry = await attempt("read first-seen times", () => kv.get<FirstSeenRecord>(key));
    const found = { key, versionstamp: entry.versionstamp };
    if (entry.value === null) return { ...found, parts: null, bytes: null };
    const { inline, parts: { times } } = entry.value;
    if (inline !== null) return { ...found, parts: times, bytes: inline };
    const bytes = times === null ? null : await readParts(kv, key, times);
    if (bytes !== null) return { ...found, parts: times, bytes };
  }
  throw new StorageError(`Cannot read first-seen times of ${JSON.stringify(key.at(-1))}: parts are missing`);
}

export interface FirstSeenUpdate {
  readonly record: FirstSeenRecord;
  readonly bytes: FirstSeenBytes;
  /** What must be written as chunks. */
  readonly chunks: readonly EncodedChunks[];
}

/** In slices. null: every one of these files was seen already. */
export async function updateFirstSeen(
  entry: FirstSeenEntry,
  seen: {
    readonly filenames: Iterable<string>;
    readonly at: EpochMs;
    readonly salt: () => Uint8Array;
    readonly timers: Timers;
  },
): Promise<FirstSeenUpdate | null> {
  const next = await paced(
    entry.bytes === null
      ? firstSight(seen.filenames, seen.at, seen.salt())
      : addSeen(entry.bytes, seen.filenames, seen.at),
    seen.timers,
  );
  if (next === null) return null;
  if (next.byteLength <= MAX_INLINE_BYTES) {
    return { record: { v: 1, inline: next, parts: { times: null } }, bytes: next, chunks: [] };
  }
  const encoded = await encodeChunks([next], seen.timers);
  return { record: { v: 1, inline: null, parts: { times: encoded.parts } }, bytes: next, chunks: [encoded] };
}

/** After the commit that replaced them. */
export async function deleteReplaced(kv: Deno.Kv, entry: FirstSeenEntry): Promise<void> {
  await deleteParts(kv, entry.key, entry.parts);
}
