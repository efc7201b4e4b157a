/**
 * A backup as one file: gzip over lines of JSON. The first line says what it is, the last one how many entries
 * and blobs came before it and the SHA-256 of all those lines: a file that was cut off, or changed, is noticed.
 */
import { Buffer } from "node:buffer";
import { createHash, type Hash } from "node:crypto";
import { parseBlobKey } from "./artifacts/key.ts";
import type { BlobKey } from "./artifacts/store.ts";
import { decodeKey, decodeValue, encodeKey, encodeValue } from "./backup_codec.ts";

const FORMAT = 1;
const LINES_BYTES = 64 * 1024;
const MAX_LINE_BYTES = 4 * 1024 * 1024;

/** The first line. */
export interface BackupHeader {
  readonly sluice: "backup";
  readonly v: 1;
  /** SCHEMA_VERSION of the records. */
  readonly schema: number;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly artifacts: boolean;
}

export interface BackupCounts {
  readonly entries: number;
  readonly blobs: number;
}

/** What lies between the first line and the last. A blob's bytes follow its line. */
export type BackupItem =
  | { readonly kind: "entry"; readonly key: Deno.KvKey; readonly value: unknown; readonly lineBytes: number }
  | { readonly kind: "blob"; readonly key: BlobKey; readonly sizeBytes: number }
  | { readonly kind: "data"; readonly bytes: Uint8Array };

/** Lines go out as they come, in pieces of 64 kB. */
export interface BackupWriter {
  entry(key: Deno.KvKey, value: unknown): Promise<void>;
  blob(key: BlobKey, sizeBytes: number): Promise<void>;
  data(bytes: Uint8Array): Promise<void>;
  /** The last line; closes the file. Without it, the file is no backup. */
  end(): Promise<BackupCounts>;
  /** Gives up: the file's stream is aborted. */
  abort(reason: unknown): Promise<void>;
}

/** Begins a file on `out`, which is closed or aborted by the writer. */
export async function writeBackupFile(
  out: WritableStream<Uint8Array>,
  header: Omit<BackupHeader, "sluice" | "v">,
): Promise<BackupWriter> {
  const gzip = new CompressionStream("gzip") as TransformStream<Uint8Array, Uint8Array>;
  const piped = gzip.readable.pipeTo(out);
  piped.catch(() => {});
  const writer = gzip.writable.getWriter();
  const hash = createHash("sha256");
  const encoder = new TextEncoder();
  let waiting: string[] = [];
  let waitingLength = 0;
  let entries = 0;
  let blobs = 0;

  async function line(value: unknown): Promise<void> {
    const text = JSON.stringify(value);
    waiting.push(text, "\n");
    waitingLength += text.length;
    if (waitingLength >= LINES_BYTES) await flush();
  }
  async function flush(): Promise<void> {
    const bytes = encoder.encode(waiting.join(""));
    waiting = [];
    waitingLength = 0;
    hash.update(bytes);
    // The pipe's failure is the one that says why.
    await Promise.race([writer.write(bytes), piped]);
  }
  async function end(): Promise<BackupCounts> {
    await flush();
    await line({ end: { entries, blobs, sha256: hash.copy().digest("hex") } });
    await flush();
    await writer.close();
    await piped;
    return { entries, blobs };
  }

  const first: BackupHeader = { sluice: "backup", v: FORMAT, ...header };
  await line(first);
  return {
    entry: (key, value) => {
      entries++;
      return line({ k: encodeKey(key), v: encodeValue(value) });
    },
    blob: (key, sizeBytes) => {
      blobs++;
      return line({ b: key, s: sizeBytes });
    },
    data: (bytes) => line({ d: Buffer.from(bytes).toString("base64") }),
    end,
    abort: async (reason) => {
      await writer.abort(reason).catch(() => {});
      await piped.catch(() => {});
    },
  };
}

/**
 * Reads a file to its end, handing out each item. Throws SyntaxError where it is no whole backup: only after the
 * last item is it known to be one.
 */
export async function* readBackupFile(
  file: ReadableStream<Uint8Array>,
): AsyncGenerator<BackupItem, BackupCounts & { readonly header: BackupHeader }> {
  const hash = createHash("sha256");
  let header: BackupHeader | null = null;
  let entries = 0;
  let blobs = 0;
  let ended = false;
  for await (const line of linesOf(file)) {
    if (ended) throw broken("something follows its last line");
    const json = parseLine(line);
    if (header === null) header = readHeader(json);
    else if ("end" in json) {
      checkEnd(json.end, { entries, blobs }, hash);
      ended = true;
      continue;
    } else if ("k" in json) {
      entries++;
      yield { kind: "entry", key: decodeKey(json.k), value: decodeValue(json.v), lineBytes: line.byteLength };
    } else if ("b" in json) {
      blobs++;
      yield readBlobLine(json);
    } else if ("d" in json) {
      yield { kind: "data", bytes: new Uint8Array(Buffer.from(String(json.d), "base64")) };
    } else throw broken("a line is not known");
    hash.update(line).update("\n");
  }
  if (header === null || !ended) throw broken("its end is missing");
  return { header, entries, blobs };
}

function parseLine(line: Uint8Array): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(line));
  } catch (cause) {
    throw broken("a line is not JSON", cause);
  }
  if (typeof json === "object" && json !== null && !Array.isArray(json)) {
    return json as Record<string, unknown>;
  }
  throw broken("a line is not an object");
}

function readHeader(json: Record<string, unknown>): BackupHeader {
  if (json.sluice !== "backup") throw broken("it does not begin like one");
  if (json.v !== FORMAT) throw broken(`its format ${JSON.stringify(json.v)} is not known here`);
  if (!Number.isInteger(json.schema)) throw broken("its records' version is missing");
  return json as unknown as BackupHeader;
}

function readBlobLine({ b, s }: Record<string, unknown>): BackupItem {
  const key = typeof b === "string" ? parseBlobKey(b) : null;
  if (key === null) throw broken(`${JSON.stringify(b)?.slice(0, 100)} is no blob's name`);
  if (!Number.isSafeInteger(s) || Number(s) < 0) throw broken(`the blob "${key}" has no size`);
  return { kind: "blob", key, sizeBytes: Number(s) };
}

function checkEnd(end: unknown, counts: BackupCounts, hash: Hash): void {
  const { entries, blobs, sha256 } = (end ?? {}) as Record<string, unknown>;
  if (entries !== counts.entries || blobs !== counts.blobs) throw broken("its counts do not agree");
  if (sha256 !== hash.copy().digest("hex")) throw broken("its digest does not agree");
}

async function* linesOf(file: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  const gunzip = new DecompressionStream("gzip") as TransformStream<Uint8Array, Uint8Array>;
  const chunks = file.pipeThrough(gunzip)[Symbol.asyncIterator]();
  try {
    while (true) {
      const { done, value } = await next(chunks);
      if (done) break;
      let from = 0;
      for (let at = value.indexOf(10); at >= 0; at = value.indexOf(10, from)) {
        yield joined([...rest, value.subarray(from, at)]);
        rest = [];
        restBytes = 0;
        from = at + 1;
      }
      if (from === value.byteLength) continue;
      rest.push(value.slice(from));
      restBytes += value.byteLength - from;
      if (restBytes > MAX_LINE_BYTES) throw broken("a line is too long");
    }
  } finally {
    // Whoever stops early lets go of the file.
    await chunks.return?.().catch(() => {});
  }
  if (rest.length > 0) throw broken("its last line is cut off");
}

async function next(chunks: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
  try {
    return await chunks.next();
  } catch (cause) {
    throw broken("it is cut off, or no gzip", cause);
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return pieces.length === 1 ? pieces[0]! : new Uint8Array(Buffer.concat(pieces));
}

function broken(why: string, cause?: unknown): SyntaxError {
  return new SyntaxError(`Cannot read the backup: ${why}`, { cause });
}
