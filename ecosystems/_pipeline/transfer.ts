/** Streams that know what of them was sent, so that the install log does. */
import type { BlobStat } from "../../storage/artifacts/store.ts";
import type { Following } from "../../storage/fill.ts";
import type { InstallLog, InstallRecord } from "../../storage/installs/log.ts";

/** What the install log is told of a transfer. */
export interface Settling {
  /** Called once: with the bytes sent, and whether they were all. */
  settle(bytes: number, stat: BlobStat | null, complete: boolean): Promise<void>;
  /** It was settled as complete, and its client went away before it had the last byte. */
  cutOff(bytes: number): Promise<void>;
}

/** A fill's bytes, one chunk behind: the last is held until the record is durable. */
export function recordAtEnd(following: Following, log: Settling): ReadableStream<Uint8Array> {
  const reader = following.body.getReader();
  let held: Uint8Array | null = null;
  let sent = 0;
  let settling: Promise<void> | null = null;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      for (;;) {
        const { done, value } = await next();
        if (done) return await finish(controller);
        if (value.byteLength === 0) continue;
        const ready = held;
        held = value;
        if (ready === null) continue;
        sent += ready.byteLength;
        controller.enqueue(ready);
        return;
      }
    },
    async cancel(reason) {
      await Promise.allSettled([reader.cancel(reason), gone()]);
    },
  }, { highWaterMark: 0 });

  /** Beside a record that is being written, there is no second one. */
  async function gone(): Promise<void> {
    if (settling === null) return await settleOnce(sent, null, false);
    await settling;
    await log.cutOff(sent);
  }

  function settleOnce(bytes: number, stat: BlobStat | null, complete: boolean): Promise<void> {
    return settling ??= log.settle(bytes, stat, complete);
  }

  /** A fill that fails is the end for its client, too. */
  async function next(): Promise<ReadableStreamReadResult<Uint8Array>> {
    try {
      return await reader.read();
    } catch (error) {
      if (sent > 0) await settleOnce(sent, null, false);
      throw error;
    }
  }

  async function finish(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const stat = await following.done;
    await settleOnce(sent + (held?.byteLength ?? 0), stat, true);
    if (held !== null) controller.enqueue(held);
    controller.close();
  }
}

/** Where a kept file's bytes come from, in order. */
interface Source {
  /** null: there are no more. */
  next(): Promise<Uint8Array | null> | Uint8Array | null;
  cancel(reason: unknown): Promise<void>;
}

const SLICE_BYTES = 256 * 1024;

/** What is in memory is shared by all who are sent it: views of it are handed out. */
function fromMemory(bytes: Uint8Array): Source {
  let at = 0;
  return {
    next() {
      if (at >= bytes.byteLength) return null;
      return bytes.subarray(at, at += SLICE_BYTES);
    },
    cancel: () => Promise.resolve(),
  };
}

function fromStore(body: ReadableStream<Uint8Array>): Source {
  const reader = body.getReader();
  return {
    async next() {
      const { done, value } = await reader.read();
      return done ? null : value;
    },
    cancel: (reason) => reader.cancel(reason),
  };
}

/** A kept file's bytes, recorded already: a client that goes away before the end turns the record into a partial one. */
export function recordPartial(
  installs: Pick<InstallLog, "markPartial">,
  record: InstallRecord,
  body: ReadableStream<Uint8Array> | Uint8Array,
  length: number,
): ReadableStream<Uint8Array> {
  const source = body instanceof Uint8Array ? fromMemory(body) : fromStore(body);
  let sent = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const piece = await source.next();
      if (piece === null) {
        if (sent === length) return controller.close();
        throw new RangeError(`Cannot send ${record.file}: the store gave ${sent} of ${length} bytes`);
      }
      sent += piece.byteLength;
      controller.enqueue(piece);
    },
    async cancel(reason) {
      const outcome = sent < length ? installs.markPartial(record, sent) : Promise.resolve();
      await Promise.allSettled([source.cancel(reason), outcome]);
    },
  }, { highWaterMark: 0 });
}
