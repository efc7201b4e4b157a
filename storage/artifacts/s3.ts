/**
 * Blobs as objects of a bucket: `sha256/ab/abcd…`, what is on its way below `staging/`. Several processes share
 * one bucket.
 */
import { StorageError } from "../errors.ts";
import type { Clock, Log, Timers } from "../runtime.ts";
import { checkInstance } from "./folder_temporary.ts";
import { checkedKey, parseBlobKey } from "./key.ts";
import { createPieces } from "./pieces.ts";
import { checkRange } from "./range.ts";
import type { S3Place } from "./s3_address.ts";
import { streamOfObject } from "./s3_body.ts";
import type { S3Opened, S3Success } from "./s3_answer.ts";
import { createS3Client, type S3Credentials } from "./s3_client.ts";
import { connectionError, nameOf, refusalError, type S3Refusal } from "./s3_errors.ts";
import { cleanLeftovers, STAGING } from "./s3_leftovers.ts";
import { listObjects } from "./s3_list.ts";
import { putBlob } from "./s3_put.ts";
import { sendOrThrow } from "./s3_upload.ts";
import type { ArtifactStore, BlobKey, BlobStat, ByteRange, StoredBlob } from "./store.ts";

export interface S3StoreOptions {
  readonly place: S3Place;
  readonly credentials: S3Credentials;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: () => number;
  /** Unique among the processes that share the bucket, and new at each start. */
  readonly instance: string;
  readonly log?: Log;
  readonly caPem?: string | null;
}

/** Its connections are kept until `close`. */
export interface S3Store extends ArtifactStore {
  /** Resolves once what dead processes left was cleaned, or could not be; never rejects. */
  readonly cleaned: Promise<void>;
  close(): Promise<void>;
}

/** An answer to HEAD has no code. WARNING: any other 404 is a bucket or a user that is gone, not a blob. */
const ABSENT = ["", "NoSuchKey", "NotFound"];

/** Rejects with StorageError where the bucket is not there or cannot be listed with these credentials. */
export async function createS3Store(options: S3StoreOptions): Promise<S3Store> {
  const { place, instance, clock, log = () => {} } = options;
  checkInstance(instance);
  const client = createS3Client({ ...options, caPem: options.caPem ?? null });
  const pieces = createPieces();
  try {
    const query = { "list-type": "2", "max-keys": "1", prefix: `${place.prefix}sha256/` };
    await sendOrThrow(client, { method: "GET", key: "", query, action: "keep artifacts" });
  } catch (error) {
    await client.close();
    throw error;
  }
  const cleaned = cleanLeftovers({ client, instance, clock, log }).then(() => {}, (error) => {
    log("warn", error instanceof Error ? error.message : String(error), { error });
  });

  async function stat(key: BlobKey, signal?: AbortSignal): Promise<BlobStat | null> {
    const action = `look for ${checkedKey(key)}`;
    const answer = await client.send({ method: "HEAD", key, action, signal });
    if (!answer.ok) return absent(action, answer.refusal);
    return { key, sizeBytes: lengthOf(answer, key) };
  }

  /** null where the object is not there; throws for every other refusal. */
  function absent(action: string, refusal: S3Refusal): null {
    if (refusal.status === 404 && ABSENT.includes(refusal.code)) return null;
    throw refusalError(action, refusal, place);
  }

  function lengthOf(answer: S3Success | S3Opened, key: BlobKey): number {
    const length = answer.header("content-length");
    if (length !== null && /^\d{1,15}$/.test(length)) return Number(length);
    throw new StorageError(`Cannot read ${key} in ${nameOf(place)}: the server does not say how long it is`);
  }

  async function get(key: BlobKey, range?: ByteRange): Promise<StoredBlob | null> {
    const action = `read ${checkedKey(key)}`;
    if (range !== undefined && !isPlausible(range)) return await refuseRange(key, range);
    const answer = await client.open({ method: "GET", key, action, headers: rangeHeader(range) });
    if (!answer.ok && answer.refusal.status === 416 && range !== undefined) {
      return await refuseRange(key, range);
    }
    if (!answer.ok) return absent(action, answer.refusal);
    try {
      return await openedBlob(key, range, answer);
    } catch (error) {
      answer.body.destroy();
      throw error;
    }
  }

  async function openedBlob(key: BlobKey, range: ByteRange | undefined, opened: S3Opened) {
    const sizeBytes = range === undefined ? lengthOf(opened, key) : totalOf(opened);
    if (sizeBytes === null || (range !== undefined && range.last >= sizeBytes)) {
      opened.body.destroy();
      return await refuseRange(key, range!);
    }
    const { first, last } = range ?? { first: 0, last: sizeBytes - 1 };
    const body = streamOfObject({
      length: last - first + 1,
      opened,
      reopen: (offset) => openAt(key, { first: first + offset, last }),
      failure: (error) =>
        error instanceof StorageError ? error : connectionError(`read ${key}`, error, place),
      pieces,
      timers: options.timers,
    });
    return { key, sizeBytes, body };
  }

  async function openAt(key: BlobKey, range: ByteRange): Promise<S3Opened> {
    const action = `read ${key}`;
    const answer = await client.open({ method: "GET", key, action, headers: rangeHeader(range) });
    if (!answer.ok) throw refusalError(action, answer.refusal, place);
    if (answer.status === 206) return answer;
    answer.body.destroy();
    throw new StorageError(`Cannot ${action} in ${nameOf(place)}: the server ignores ranges`);
  }

  /** null: it is absent. Throws RangeError; StorageError where the range is right and the server is not. */
  async function refuseRange(key: BlobKey, range: ByteRange): Promise<null> {
    const found = await stat(key);
    if (found === null) return null;
    checkRange(key, range, found.sizeBytes);
    throw new StorageError(`Cannot read ${key} in ${nameOf(place)}: the server ignores ranges`);
  }

  async function read(key: BlobKey, maxBytes: number): Promise<Uint8Array | null> {
    const blob = await get(key);
    if (blob === null) return null;
    if (blob.sizeBytes > maxBytes) {
      await blob.body.cancel();
      return null;
    }
    return await joined(blob);
  }

  async function remove(key: BlobKey): Promise<boolean> {
    // DELETE does not say whether there was something.
    if (await stat(key) === null) return false;
    await sendOrThrow(client, { method: "DELETE", key, action: `delete ${key}` });
    return true;
  }

  async function* list(prefix = ""): AsyncIterable<BlobStat> {
    const root = "sha256/";
    if (!prefix.startsWith(root) && !root.startsWith(prefix)) return;
    const within = prefix.length > root.length ? prefix : root;
    for await (const { key, sizeBytes } of listObjects(client, within, "list the artifacts")) {
      const blob = parseBlobKey(key);
      if (blob !== null) yield { key: blob, sizeBytes };
    }
  }

  const stagingKey = () => `${STAGING}${instance}/${crypto.randomUUID()}`;
  return {
    stat: (key) => stat(key),
    get,
    read,
    put: (body, putOptions) => putBlob({ client, stagingKey, stat }, body, putOptions),
    delete: remove,
    list,
    cleaned,
    close: () => client.close(),
  };
}

function isPlausible({ first, last }: ByteRange): boolean {
  return Number.isSafeInteger(first) && Number.isSafeInteger(last) && first >= 0 && first <= last;
}

function rangeHeader(range: ByteRange | undefined): Readonly<Record<string, string>> {
  return range === undefined ? {} : { range: `bytes=${range.first}-${range.last}` };
}

/** Of a part of an object, the size of the whole; null where the answer is no part. */
function totalOf(opened: S3Opened): number | null {
  const match = /^bytes \d+-\d+\/(\d{1,15})$/.exec(opened.header("content-range") ?? "");
  return opened.status === 206 && match !== null ? Number(match[1]) : null;
}

async function joined(blob: StoredBlob): Promise<Uint8Array> {
  const whole = new Uint8Array(blob.sizeBytes);
  let at = 0;
  for await (const chunk of blob.body) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
