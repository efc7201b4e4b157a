/**
 * Values that are larger than one KV value: cut into chunks beneath the key of the record that points at them
 * (the owner). Chunks are written with the owner in one commit where they fit, else before it, under a name
 * that nobody else uses; the owner's commit is what makes them count. A reader therefore sees the old value or
 * the new one, whole: if a chunk is missing, the owner was replaced meanwhile.
 */
import { createHash, randomUUID } from "node:crypto";
import { joinBytes } from "../bytes.ts";
import { StorageError, TooLargeError } from "../errors.ts";
import { gunzipInSlices, gzipInSlices } from "../gzip.ts";
import { paced, slicesOf } from "../paced.ts";
import type { Timers } from "../runtime.ts";
import { realTimers } from "../timers.ts";
import { attempt, getAll } from "./call.ts";
import { keys } from "./keys.ts";

/** KV takes 65,536 bytes per value; the rest is room for what a driver adds. */
export const CHUNK_BYTES = 64_000;
/** KV takes 819,200 bytes per commit, keys included: so many chunks fit beside a full owner and a neighbour. */
const CHUNKS_PER_COMMIT = 10;
/** A value that inflates to more is refused when read. */
const MAX_INFLATED_BYTES = 256 * 1024 * 1024;

/** Where a large value is: kept in its owner's record. */
export interface Parts {
  /** The chunks' common name: digest of the value, and what sets this writer apart. */
  readonly id: string;
  readonly chunks: number;
  readonly sizeBytes: number;
  /** SHA-256 (hex) of the value before compression. */
  readonly digest: string;
}

/** A value, cut and compressed, with its pointer; not yet written. */
export interface EncodedChunks {
  readonly parts: Parts;
  readonly chunks: readonly Uint8Array[];
}

/** The SHA-256 in hex. */
export function sha256Hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Compresses and cuts a value that is given in pieces, in slices; an empty value has one chunk. */
export async function encodeChunks(
  pieces: Iterable<Uint8Array, unknown>,
  timers: Timers = realTimers,
): Promise<EncodedChunks> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  function* hashed(): Generator<Uint8Array> {
    for (const piece of pieces) {
      hash.update(piece);
      sizeBytes += piece.byteLength;
      yield piece;
    }
  }
  const packed = await gzipInSlices(hashed(), { level: 4, timers });
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < packed.byteLength; at += CHUNK_BYTES) {
    // A copy, not a view: KV would serialise the whole buffer that a view looks into.
    chunks.push(packed.slice(at, at + CHUNK_BYTES));
  }
  const digest = hash.digest("hex");
  const id = `${digest.slice(0, 32)}-${randomUUID()}`;
  return { parts: { id, chunks: chunks.length, sizeBytes, digest }, chunks };
}

/** Puts the chunks back together. Throws StorageError where they are not what was cut. */
export async function decodeChunks(
  parts: Parts,
  chunks: readonly Uint8Array[],
  timers: Timers = realTimers,
): Promise<Uint8Array> {
  const packed = joinBytes(chunks, chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  let value: Uint8Array;
  try {
    value = await gunzipInSlices(packed, { timers, maxBytes: MAX_INFLATED_BYTES, admit });
  } catch (cause) {
    throw new StorageError(`Cannot read the stored value ${parts.id}: it is damaged`, { cause });
  }
  const hash = createHash("sha256");
  await paced(slicesOf(value), timers, (slice) => hash.update(slice));
  if (value.byteLength !== parts.sizeBytes || hash.digest("hex") !== parts.digest) {
    throw new StorageError(`Cannot read the stored value ${parts.id}: its digest is not ${parts.digest}`);
  }
  return value;
}

function admit(sizeBytes: number): void {
  if (sizeBytes > MAX_INFLATED_BYTES) throw new TooLargeError("it inflates without end", MAX_INFLATED_BYTES);
}

/** null: a chunk is missing. The owner was replaced: read it again. */
export async function readParts(
  kv: Deno.Kv,
  owner: Deno.KvKey,
  parts: Parts,
  timers: Timers = realTimers,
): Promise<Uint8Array | null> {
  const found = await attempt(
    `read the stored value ${parts.id}`,
    () =>
      getAll<Uint8Array>(kv, Array.from({ length: parts.chunks }, (_, i) => keys.part(owner, parts.id, i))),
  );
  const chunks: Uint8Array[] = [];
  for (const entry of found) {
    if (!(entry.value instanceof Uint8Array)) return null;
    chunks.push(entry.value);
  }
  return await decodeChunks(parts, chunks, timers);
}

/** A value that is to be written, and the key of the record that will point at it. */
export interface OwnedChunks {
  readonly owner: Deno.KvKey;
  readonly value: EncodedChunks;
}

/**
 * Prepares values for their owners' commit: adds them to `atomic` if all of them fit, else writes them at once.
 * The caller sets the owners in the same `atomic`; if that commit fails it calls `dropParts`.
 */
export async function writeParts(
  kv: Deno.Kv,
  atomic: Deno.AtomicOperation,
  values: readonly OwnedChunks[],
): Promise<void> {
  const writes = values.flatMap(({ owner, value: { parts, chunks } }) =>
    chunks.map((chunk, i) => ({ key: keys.part(owner, parts.id, i), chunk }))
  );
  if (writes.length <= CHUNKS_PER_COMMIT) {
    for (const { key, chunk } of writes) atomic.set(key, chunk);
    return;
  }
  for (let i = 0; i < writes.length; i += CHUNKS_PER_COMMIT) {
    const batch = kv.atomic();
    for (const { key, chunk } of writes.slice(i, i + CHUNKS_PER_COMMIT)) batch.set(key, chunk);
    await attempt(`write ${writes.length} chunks`, () => batch.commit());
  }
}

/** Deletes a value's chunks once the commit that replaced or deleted its owner is done. */
export async function deleteParts(kv: Deno.Kv, owner: Deno.KvKey, parts: Parts | null): Promise<void> {
  if (parts === null) return;
  for (let first = 0; first < parts.chunks; first += CHUNKS_PER_COMMIT) {
    const atomic = kv.atomic();
    for (let i = first; i < Math.min(parts.chunks, first + CHUNKS_PER_COMMIT); i++) {
      atomic.delete(keys.part(owner, parts.id, i));
    }
    await attempt("delete replaced chunks", () => atomic.commit());
  }
}

/** Takes back what `writeParts` wrote ahead of a commit that failed; nobody else knows these names. */
export async function dropParts(kv: Deno.Kv, values: readonly OwnedChunks[]): Promise<void> {
  if (values.reduce((sum, { value }) => sum + value.chunks.length, 0) <= CHUNKS_PER_COMMIT) return;
  for (const { owner, value } of values) await deleteParts(kv, owner, value.parts);
}

/** The large values that a record points at: its `parts`, by the shape that every owner has them in. */
export function partsIn(record: unknown): readonly Parts[] {
  if (typeof record !== "object" || record === null || !("parts" in record)) return [];
  const { parts } = record;
  return typeof parts === "object" && parts !== null ? Object.values(parts).filter(isParts) : [];
}

function isParts(value: unknown): value is Parts {
  return typeof value === "object" && value !== null && "id" in value && "chunks" in value &&
    typeof value.id === "string" && Number.isInteger(value.chunks);
}
