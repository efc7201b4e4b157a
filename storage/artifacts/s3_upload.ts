/** A large object on its way: parts of one size, a few at once, under a name of its own until all are there. */
import { StorageError } from "../errors.ts";
import type { S3Success } from "./s3_answer.ts";
import type { S3Client, S3Request } from "./s3_client.ts";
import { escapeKey } from "./s3_address.ts";
import { refusalError } from "./s3_errors.ts";
import { elements, escapeXml, textOf } from "./s3_xml.ts";

/** R2 wants all parts but the last of one size; S3 wants at least 5 MiB of each but the last. */
export const PART_BYTES = 8 * 1024 * 1024;
const PARTS_IN_FLIGHT = 2;
const MAX_PARTS = 10_000;
/** The most that one CopyObject takes, and how much of a larger object one UploadPartCopy is given. */
const MAX_COPY_BYTES = 5 * 1024 ** 3;
const COPY_PART_BYTES = 1024 ** 3;

export interface UploadOptions {
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
  /** Completes `Cannot …` in messages. */
  readonly action: string;
}

/** A multipart upload. Ends with `complete` or `abort`. */
export interface Upload {
  /**
   * Resolves as soon as there is room for another part. The part is the upload's until `sent` is called. Throws
   * StorageError as soon as any part has failed.
   */
  add(part: Uint8Array, sent: () => void): Promise<void>;
  /** The object is there under its key once this resolves. */
  complete(): Promise<void>;
  /** Ends what is under way and takes back what was sent, as far as the server lets it. Never rejects. */
  abort(): Promise<void>;
}

/** Sends, and throws StorageError for a refusal. */
export async function sendOrThrow(client: S3Client, request: S3Request): Promise<S3Success> {
  const answer = await client.send(request);
  if (answer.ok) return answer;
  throw refusalError(request.action, answer.refusal, client.place);
}

/** Throws StorageError. */
export async function beginUpload(client: S3Client, options: UploadOptions): Promise<Upload> {
  const { key, headers, action } = options;
  const ended = new AbortController();
  const signal = options.signal === undefined
    ? ended.signal
    : AbortSignal.any([options.signal, ended.signal]);
  const uploadId = await createUpload(client, { key, headers, signal, action });
  const etags: (string | null)[] = [];
  const sending = new Set<Promise<void>>();
  let failure: unknown = null;

  async function send(part: Uint8Array, index: number): Promise<void> {
    const query = { partNumber: String(index + 1), uploadId };
    const answer = await sendOrThrow(client, { method: "PUT", key, query, body: part, signal, action });
    etags[index] = answer.header("etag");
  }

  async function add(part: Uint8Array, sent: () => void): Promise<void> {
    if (etags.length >= MAX_PARTS) {
      throw new StorageError(`Cannot ${action}: it is larger than ${MAX_PARTS} parts of ${PART_BYTES} bytes`);
    }
    const index = etags.push(null) - 1;
    const task: Promise<void> = send(part, index).catch((error) => void (failure ??= error)).finally(() => {
      sending.delete(task);
      sent();
    });
    sending.add(task);
    if (sending.size >= PARTS_IN_FLIGHT) await Promise.race(sending);
    if (failure !== null) throw failure;
  }

  async function complete(): Promise<void> {
    await Promise.all(sending);
    if (failure !== null) throw failure;
    await completeUpload(client, { key, uploadId, etags, signal, action });
  }

  async function abort(): Promise<void> {
    ended.abort(new Error("The upload was given up"));
    const wasSending = sending.size > 0;
    await Promise.all(sending);
    // What the server does not take back now, a start after the lease does. A part that it was still reading may
    // succeed after the first time: S3 says to ask again.
    for (let times = wasSending ? 2 : 1; times > 0; times--) {
      await client.send({ method: "DELETE", key, query: { uploadId }, action }).catch(() => {});
    }
    await client.send({ method: "DELETE", key, action }).catch(() => {});
  }

  return { add, complete, abort };
}

/** Not given up half-way: an upload whose id nobody has learnt would lie there until its lease ends. */
async function createUpload(client: S3Client, { signal, ...request }: UploadOptions): Promise<string> {
  signal?.throwIfAborted();
  const answer = await sendOrThrow(client, { ...request, method: "POST", query: { uploads: "" } });
  const uploadId = textOf(new TextDecoder().decode(answer.body), "UploadId");
  const { key, action } = request;
  if (uploadId === null || uploadId === "") {
    throw new StorageError(`Cannot ${action}: the server named no upload`);
  }
  if (signal?.aborted === true) {
    await client.send({ method: "DELETE", key, query: { uploadId }, action }).catch(() => {});
    throw signal.reason;
  }
  return uploadId;
}

interface Completion {
  readonly key: string;
  readonly uploadId: string;
  readonly etags: readonly (string | null)[];
  readonly signal: AbortSignal | undefined;
  readonly action: string;
}

async function completeUpload(client: S3Client, completion: Completion): Promise<void> {
  const { key, uploadId, etags, signal, action } = completion;
  const parts = etags.map((etag, index) =>
    `<Part><PartNumber>${index + 1}</PartNumber><ETag>${escapeXml(etag ?? "")}</ETag></Part>`
  );
  const text = `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts.join("")}` +
    "</CompleteMultipartUpload>";
  const body = new TextEncoder().encode(text);
  const query = { uploadId };
  const headers = { "content-type": "application/xml" };
  const answer = await client.send({ method: "POST", key, query, headers, body, signal, action });
  if (answer.ok) return;
  // The answer to a first try may have been lost on its way: then the upload is gone and the object is there.
  const lost = answer.refusal.status === 404 && answer.refusal.code !== "NoSuchBucket";
  if (lost && (await client.send({ method: "HEAD", key, signal, action })).ok) return;
  throw refusalError(action, answer.refusal, client.place);
}

export interface CopyOptions {
  readonly from: string;
  readonly to: string;
  readonly sizeBytes: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
  readonly action: string;
  /** For tests; else what S3 takes at once. */
  readonly maxCopyBytes?: number;
  readonly copyPartBytes?: number;
}

/** Within the bucket, without the bytes passing through here. The copy is whole once this resolves. */
export async function copyObject(client: S3Client, options: CopyOptions): Promise<void> {
  const { from, to, sizeBytes, headers, signal, action, maxCopyBytes = MAX_COPY_BYTES } = options;
  const { bucket, prefix } = client.place;
  const source = { "x-amz-copy-source": escapeKey(`${bucket}/${prefix}${from}`) };
  if (sizeBytes <= maxCopyBytes) {
    await sendOrThrow(client, { method: "PUT", key: to, headers: source, signal, action });
    return;
  }
  const uploadId = await createUpload(client, { key: to, headers, signal, action });
  try {
    const etags = await copyParts(client, { ...options, headers: source }, uploadId);
    await completeUpload(client, { key: to, uploadId, etags, signal, action });
  } catch (error) {
    await client.send({ method: "DELETE", key: to, query: { uploadId }, action }).catch(() => {});
    throw error;
  }
}

async function copyParts(client: S3Client, options: CopyOptions, uploadId: string): Promise<string[]> {
  const { to: key, sizeBytes, headers: source, signal, action, copyPartBytes = COPY_PART_BYTES } = options;
  const etags: string[] = [];
  for (let first = 0; first < sizeBytes; first += copyPartBytes) {
    const last = Math.min(sizeBytes, first + copyPartBytes) - 1;
    const headers = { ...source, "x-amz-copy-source-range": `bytes=${first}-${last}` };
    const query = { partNumber: String(etags.length + 1), uploadId };
    const answer = await sendOrThrow(client, { method: "PUT", key, query, headers, signal, action });
    const [result = ""] = elements(new TextDecoder().decode(answer.body), "CopyPartResult");
    etags.push(textOf(result, "ETag") ?? textOf(new TextDecoder().decode(answer.body), "ETag") ?? "");
  }
  return etags;
}
