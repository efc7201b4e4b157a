/** An upstream's artifact that a test sends by hand, or at once. */
import type { OpenedArtifact } from "../../storage/upstream/upstream.ts";

export interface TestSource {
  /** For FillRequest.open: one more opening each time. */
  readonly open: (signal: AbortSignal) => Promise<OpenedArtifact>;
  readonly opened: number;
  /** How many bytes were taken from it. */
  readonly pulledBytes: number;
  readonly cancelled: boolean;
  /** Lets the reader have so many more bytes. */
  allow(bytes: number): void;
  /** What is left, to the end. */
  allowAll(): void;
  /** The connection breaks once what was allowed has been read. */
  fail(error: unknown): void;
}

/** Sends `bytes` in chunks, as far as the test has allowed it; nothing at first. */
export function createTestSource(
  bytes: Uint8Array,
  options: { readonly sizeBytes?: number | null; readonly chunkBytes?: number } = {},
): TestSource {
  const { sizeBytes = null, chunkBytes = 16_384 } = options;
  let allowed = 0;
  let pulledBytes = 0;
  let opened = 0;
  let cancelled = false;
  let failure: { readonly error: unknown } | null = null;
  let more = Promise.withResolvers<void>();

  function wake(): void {
    more.resolve();
    more = Promise.withResolvers();
  }

  function bodyFromStart(): ReadableStream<Uint8Array> {
    let at = 0;
    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        while (at === allowed && at < bytes.length && failure === null && !cancelled) await more.promise;
        if (at === allowed && failure !== null) throw failure.error;
        if (at >= bytes.length || cancelled) return controller.close();
        const chunk = bytes.slice(at, Math.min(at + chunkBytes, allowed));
        at += chunk.length;
        pulledBytes += chunk.length;
        controller.enqueue(chunk);
      },
      cancel: () => {
        cancelled = true;
        wake();
      },
    }, { highWaterMark: 0 });
  }

  return {
    open: () => {
      opened++;
      return Promise.resolve({ body: bodyFromStart(), sizeBytes, lastModified: null });
    },
    get opened() {
      return opened;
    },
    get pulledBytes() {
      return pulledBytes;
    },
    get cancelled() {
      return cancelled;
    },
    allow: (count) => {
      allowed = Math.min(bytes.length, allowed + count);
      wake();
    },
    allowAll: () => {
      allowed = bytes.length;
      wake();
    },
    fail: (error) => {
      failure = { error };
      wake();
    },
  };
}
