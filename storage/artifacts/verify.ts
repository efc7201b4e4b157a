/** The digest-and-size guard that every driver shares: a stream is hashed once, with all that is expected of it. */
import { createHash } from "node:crypto";
import type { Digest, DigestAlgorithm } from "../../policy/types.ts";
import { IntegrityError, TooLargeError } from "../errors.ts";
import { createBlake2b256 } from "./blake2b.ts";
import { blobKey } from "./key.ts";
import type { BlobStat, PutOptions } from "./store.ts";

/** Sees every byte of a body, in order, before or while it is written. */
export interface Guard {
  /** Throws TooLargeError or IntegrityError as soon as the bytes pass a bound; then the body is of no use. */
  update(chunk: Uint8Array): void;
  /** To be called at the end and before anything becomes visible; throws IntegrityError. */
  finish(): BlobStat;
}

/** A hash that is fed piece by piece; `hex` may be called once. */
interface Hash {
  update(bytes: Uint8Array): void;
  hex(): string;
}

function createHasher(algorithm: DigestAlgorithm): Hash {
  if (algorithm === "blake2b-256") {
    const hash = createBlake2b256();
    return { update: hash.update, hex: () => hash.digest().toHex() };
  }
  const hash = createHash(algorithm);
  return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
}

function createHashers(expect: readonly Digest[]): ReadonlyMap<DigestAlgorithm, Hash> {
  const algorithms = new Set<DigestAlgorithm>(["sha256", ...expect.map((digest) => digest.algorithm)]);
  return new Map([...algorithms].map((algorithm) => [algorithm, createHasher(algorithm)]));
}

/** How a body is called in messages: its label, else `a blob`. */
export function nameOfBody(label: string | undefined): string {
  return label === undefined ? "a blob" : JSON.stringify(label);
}

/** The guard of one body. Its SHA-256 is always computed: it is the blob's name, whatever upstream claims. */
export function createGuard(options: PutOptions): Guard {
  const { expect = [], expectSizeBytes = null, maxBytes, label } = options;
  const hashers = createHashers(expect);
  let sizeBytes = 0;
  let computed: ReadonlyMap<DigestAlgorithm, string> | null = null;

  function update(chunk: Uint8Array): void {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) {
      throw new TooLargeError(
        `Cannot keep ${nameOfBody(label)}: it is larger than ${maxBytes} bytes`,
        maxBytes,
      );
    }
    if (expectSizeBytes !== null && sizeBytes > expectSizeBytes) {
      throw new IntegrityError(
        `Cannot keep ${nameOfBody(label)}: it is longer than the ${expectSizeBytes} bytes stated`,
      );
    }
    for (const hash of hashers.values()) hash.update(chunk);
  }

  function finish(): BlobStat {
    if (expectSizeBytes !== null && sizeBytes !== expectSizeBytes) {
      throw new IntegrityError(
        `Cannot keep ${nameOfBody(label)}: it has ${sizeBytes} of the ${expectSizeBytes} bytes stated`,
      );
    }
    computed ??= new Map([...hashers].map(([algorithm, hash]) => [algorithm, hash.hex()]));
    for (const { algorithm, hex } of expect) {
      if (computed.get(algorithm) === hex) continue;
      throw new IntegrityError(
        `Cannot keep ${nameOfBody(label)}: its ${algorithm} is ${computed.get(algorithm)}, expected ${hex}`,
      );
    }
    return { key: blobKey(computed.get("sha256")!), sizeBytes };
  }

  return { update, finish };
}

/** Whole bodies are cut into pieces, so that hashing one does not hold up the loop for long. */
const PIECE_BYTES = 256 * 1024;

function* pieces(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}

async function* readAbortable(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  const reader = body.getReader();
  // Cancelling ends a pending read at once, whatever its source does. Not awaited: a source that hangs would
  // hang its cancellation too.
  const cancel = () => void reader.cancel(signal?.reason).catch(() => {});
  signal?.addEventListener("abort", cancel, { once: true });
  let ended = false;
  try {
    while (true) {
      const { done, value } = await reader.read();
      signal?.throwIfAborted();
      ended = done;
      if (done) return;
      yield value;
    }
  } finally {
    signal?.removeEventListener("abort", cancel);
    if (!ended) cancel();
    reader.releaseLock();
  }
}

/**
 * Passes a body through the guard, piece by piece, to `write`, and answers with its name once all of it was
 * verified. The body is cancelled on any failure; rejects with IntegrityError, TooLargeError, the body's own
 * error, what `write` threw, or the signal's reason.
 */
export async function passThrough(
  body: ReadableStream<Uint8Array> | Uint8Array,
  options: PutOptions,
  write: (chunk: Uint8Array) => Promise<void> | void,
): Promise<BlobStat> {
  const { signal } = options;
  const guard = options.guard ?? createGuard(options);
  if (signal?.aborted && body instanceof ReadableStream) body.cancel(signal.reason).catch(() => {});
  signal?.throwIfAborted();
  const chunks = body instanceof Uint8Array ? pieces(body) : readAbortable(body, signal);
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    if (options.guard === undefined) guard.update(chunk);
    await write(chunk);
  }
  signal?.throwIfAborted();
  return guard.finish();
}
