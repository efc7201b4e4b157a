/**
 * The log without a disk: records packed into segments in KV. Never waits on a timer: commits at once, and
 * gathers what comes while the commit runs.
 */
import { joinBytes } from "../bytes.ts";
import { StorageError } from "../errors.ts";
import { segmentKey } from "./keys.ts";
import { encodeEntry, type LogEntry } from "./record.ts";

/** Below KV's 65,536 bytes for a value. */
export const SEGMENT_BYTES = 60_000;
/** Of KV's 819,200 bytes for a commit. */
const SEGMENTS_PER_COMMIT = 12;

/** The driver for a place without a disk. */
export interface Segments {
  /** Resolves when the commit that holds the line is done; rejects with StorageError. */
  append(entry: LogEntry): Promise<void>;
  /** Resolves when nothing waits any more; rejections are the appenders' own. */
  flush(): Promise<void>;
}

interface Waiting {
  readonly line: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** `nextId` names the segments: rising, and unique over all processes (`createRecordIds`). */
export function openSegments(deps: { readonly kv: Deno.Kv; readonly nextId: () => string }): Segments {
  const encoder = new TextEncoder();
  let waiting: Waiting[] = [];
  let running: Promise<void> | null = null;

  function append(entry: LogEntry): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    waiting.push({ line: encoder.encode(encodeEntry(entry)), resolve, reject });
    running ??= commitAll();
    return promise;
  }

  async function commitAll(): Promise<void> {
    // One turn, so that what was appended together is committed together.
    await Promise.resolve();
    while (waiting.length > 0) {
      const { values, taken } = pack(waiting);
      const batch = waiting.slice(0, taken);
      waiting = waiting.slice(taken);
      await commit(values, batch);
    }
    running = null;
  }

  async function commit(values: readonly Uint8Array[], batch: readonly Waiting[]): Promise<void> {
    try {
      const atomic = deps.kv.atomic();
      for (const value of values) atomic.set(segmentKey(deps.nextId()), value);
      await atomic.commit();
      for (const { resolve } of batch) resolve();
    } catch (error) {
      const failure = new StorageError("Cannot write to install log in KV", { cause: error });
      for (const { reject } of batch) reject(failure);
    }
  }

  return { append, flush: () => running ?? Promise.resolve() };
}

/** As many lines as one commit may hold, packed into values. */
function pack(waiting: readonly Waiting[]): { values: Uint8Array[]; taken: number } {
  const values: Uint8Array[] = [];
  let taken = 0;
  while (taken < waiting.length && values.length < SEGMENTS_PER_COMMIT) {
    const lines: Uint8Array[] = [];
    let size = 0;
    for (let index = taken; index < waiting.length; index += 1) {
      const line = (waiting[index] as Waiting).line;
      if (lines.length > 0 && size + line.length > SEGMENT_BYTES) break;
      lines.push(line);
      size += line.length;
    }
    values.push(joinBytes(lines, size));
    taken += lines.length;
  }
  return { values, taken };
}
