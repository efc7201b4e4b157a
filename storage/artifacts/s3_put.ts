/** Putting a blob into a bucket: small ones at once, large ones in parts; visible when whole, never before. */
import { StorageError } from "../errors.ts";
import { sha256Of } from "./key.ts";
import type { S3Client, S3Request } from "./s3_client.ts";
import { refusalError } from "./s3_errors.ts";
import { beginUpload, copyObject, PART_BYTES, sendOrThrow, type Upload } from "./s3_upload.ts";
import type { BlobKey, BlobStat, PutOptions } from "./store.ts";
import { nameOfBody, passThrough } from "./verify.ts";

export interface PutDeps {
  readonly client: S3Client;
  /** A name below the prefix that no other put uses. */
  readonly stagingKey: () => string;
  readonly stat: (key: BlobKey, signal?: AbortSignal) => Promise<BlobStat | null>;
}

const FIRST_BUFFER_BYTES = 64 * 1024;
/** A look costs a round trip. */
const LOOK_FIRST_BYTES = 256 * 1024;
/** Precondition failed, or another put of the same name is under way; 304 is what old MinIO says. */
const MAY_EXIST = [304, 409, 412, 429];
const MAX_LABEL_CHARACTERS = 1024;

/** At most four parts' worth of memory for each put under way. */
export async function putBlob(
  deps: PutDeps,
  body: ReadableStream<Uint8Array> | Uint8Array,
  options: PutOptions,
): Promise<BlobStat> {
  const { client, stat } = deps;
  const { signal } = options;
  const put = { action: `keep ${nameOfBody(options.label)}`, headers: labelHeaders(options.label), signal };
  const key = deps.stagingKey();
  let upload: Upload | null = null;
  const parts = createParts(async (part, sent) => {
    upload ??= await beginUpload(client, { ...put, key });
    await upload.add(part, sent);
  });

  try {
    const blob = await passThrough(body, options, parts.write);
    if (upload === null) {
      if (await putWhole(deps, blob, parts.rest(), put)) options.onAdded?.();
      return blob;
    }
    await finishUpload(upload, parts);
    // What is there stays, unless somebody cut it short.
    if ((await stat(blob.key, signal))?.sizeBytes !== blob.sizeBytes) {
      await copyObject(client, { ...put, from: key, to: blob.key, sizeBytes: blob.sizeBytes });
      options.onAdded?.();
    }
    // What cannot be deleted now is cleaned by a start after the lease.
    await client.send({ method: "DELETE", key, action: put.action }).catch(() => {});
    return blob;
  } catch (error) {
    await (upload as Upload | null)?.abort();
    throw error;
  }
}

async function finishUpload(upload: Upload, parts: Parts): Promise<void> {
  await upload.add(parts.rest(), () => {});
  await upload.complete();
}

interface Put {
  readonly action: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
}

/** false: it was there already. */
async function putWhole(deps: PutDeps, blob: BlobStat, body: Uint8Array, put: Put): Promise<boolean> {
  const { client } = deps;
  const isThere = async () => (await deps.stat(blob.key, put.signal))?.sizeBytes === blob.sizeBytes;
  // A server that refuses a body while it is being sent resets the connection: a larger one is not sent in vain.
  if (body.length > LOOK_FIRST_BYTES && await isThere()) return false;
  const request = { ...put, method: "PUT", key: blob.key, body, sha256: sha256Of(blob.key) } as const;
  if (await putIfAbsent(client, request)) return true;
  if (await isThere()) return false;
  // Not there, or cut short by somebody; or a server without conditional writes. The same bytes under the same
  // name do no harm.
  await sendOrThrow(client, request);
  return true;
}

/** One try. false: it may be there already, or another try may help. Throws StorageError where none would. */
async function putIfAbsent(client: S3Client, request: S3Request): Promise<boolean> {
  const conditional = { ...request, headers: { ...request.headers, "if-none-match": "*" }, once: true };
  const answer = await client.send(conditional).catch((error) => {
    if (error instanceof StorageError) return null;
    throw error;
  });
  if (answer === null || answer.ok) return answer !== null;
  const { status } = answer.refusal;
  if (status >= 500 || MAY_EXIST.includes(status)) return false;
  throw refusalError(request.action, answer.refusal, client.place);
}

/** Metadata is ASCII, and 2 kB altogether. */
function labelHeaders(label: string | undefined): Readonly<Record<string, string>> {
  const escaped = encodeURIComponent((label ?? "").toWellFormed()).replaceAll("%2F", "/");
  const whole = escaped.slice(0, MAX_LABEL_CHARACTERS).replace(/%.?$/, "");
  return whole === "" ? {} : { "x-amz-meta-label": whole };
}

interface Parts {
  write(chunk: Uint8Array): Promise<void>;
  /** What was not yet handed on: at least a byte of it, unless nothing was written at all. */
  rest(): Uint8Array;
}

/** Collects parts of exactly PART_BYTES; one that is full is handed on when another byte comes. */
function createParts(full: (part: Uint8Array, sent: () => void) => Promise<void>): Parts {
  const spare: Uint8Array[] = [];
  let buffer: Uint8Array = new Uint8Array(FIRST_BUFFER_BYTES);
  let length = 0;

  function grow(): void {
    const larger = new Uint8Array(buffer.length * 2);
    larger.set(buffer);
    buffer = larger;
  }

  async function handOn(): Promise<void> {
    const part = buffer;
    await full(part, () => void spare.push(part));
    buffer = spare.pop() ?? new Uint8Array(PART_BYTES);
    length = 0;
  }

  async function write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      if (length === PART_BYTES) await handOn();
      while (length === buffer.length) grow();
      const piece = chunk.subarray(at, at + buffer.length - length);
      buffer.set(piece, length);
      length += piece.length;
      at += piece.length;
    }
  }

  return { write, rest: () => buffer.subarray(0, length) };
}
