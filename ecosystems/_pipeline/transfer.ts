/** Streams that know what of them was sent, so that the install log does. */
import type { BlobStat } from "../../storage/artifacts/store.ts";
import type { Following } from "../../storage/fill.ts";
import type { InstallRecord } from "../../storage/installs/log.ts";
import type { Services } from "./services.ts";

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

/** A kept file's bytes, recorded already: a client that goes away before the end turns the record into a partial one. */
export function recordPartial(
  services: Services,
  record: InstallRecord,
  body: ReadableStream<Uint8Array>,
  length: number,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let sent = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) {
        if (sent === length) return controller.close();
        throw new RangeError(`Cannot send ${record.file}: the store gave ${sent} of ${length} bytes`);
      }
      sent += value.byteLength;
      controller.enqueue(value);
    },
    async cancel(reason) {
      const outcome = sent < length ? services.installs.markPartial(record, sent) : Promise.resolve();
      await Promise.allSettled([reader.cancel(reason), outcome]);
    },
  }, { highWaterMark: 0 });
}
