/** All changes of an entry of the audit trail that has too many for one value: compressed, over several keys. */
import { StorageError } from "../errors.ts";
import { attempt, getAll } from "./call.ts";
import { decodeChunks, encodeChunks, type Parts } from "./chunks.ts";
import { keys } from "./keys.ts";

/** Kept in the entry's record. */
export type AuditLines = Parts;

export interface PackedLines {
  readonly lines: AuditLines;
  readonly chunks: readonly Uint8Array[];
}

/** UTF-8 bytes of changes in a record: a page of fifty entries stays below a megabyte. */
const MAX_INLINE_BYTES = 16_000;
/** KV takes 819,200 bytes per commit: so many fit beside the two records. */
const CHUNKS_PER_COMMIT = 10;

/** As many as a record holds. */
export function firstLines(lines: readonly string[]): readonly string[] {
  let bytes = 0;
  const end = lines.findIndex((line) => {
    // A line of few bytes takes room too.
    bytes += new TextEncoder().encode(line).byteLength + 8;
    return bytes > MAX_INLINE_BYTES;
  });
  return end < 0 ? lines : lines.slice(0, end);
}

export async function packLines(lines: readonly string[]): Promise<PackedLines> {
  const { parts, chunks } = await encodeChunks([new TextEncoder().encode(JSON.stringify(lines))]);
  return { lines: parts, chunks };
}

/** Adds them to the entry's commit where they fit; else writes them at once, ahead of it. */
export async function writeLines(
  kv: Deno.Kv,
  atomic: Deno.AtomicOperation,
  id: string,
  { chunks }: PackedLines,
): Promise<void> {
  if (chunks.length <= CHUNKS_PER_COMMIT) {
    for (const [part, chunk] of chunks.entries()) atomic.set(keys.auditLines(id, part), chunk);
    return;
  }
  for (const [part, chunk] of chunks.entries()) {
    await attempt("write down what was changed", () => kv.set(keys.auditLines(id, part), chunk));
  }
}

/** After the entry's commit failed: nothing points at them. */
export async function dropLines(kv: Deno.Kv, id: string, { chunks }: PackedLines): Promise<void> {
  if (chunks.length <= CHUNKS_PER_COMMIT) return;
  for (const part of chunks.keys()) {
    await attempt("take back what was written", () => kv.delete(keys.auditLines(id, part)));
  }
}

/** Throws StorageError where they are not what was written. */
export async function readLines(kv: Deno.Kv, id: string, lines: AuditLines): Promise<readonly string[]> {
  const wanted = Array.from({ length: lines.chunks }, (_, part) => keys.auditLines(id, part));
  const found = await attempt("read the audit trail", () => getAll<Uint8Array>(kv, wanted));
  const chunks = found.flatMap(({ value }) => value instanceof Uint8Array ? [value] : []);
  if (chunks.length < lines.chunks) {
    throw new StorageError(`Cannot read entry ${id} of the audit trail: changes of it are missing`);
  }
  return JSON.parse(new TextDecoder().decode(await decodeChunks(lines, chunks)));
}
