/** One client's stream of a fill: from the window as long as it keeps up, from the store once it does not. */
import type { ArtifactStore, BlobStat } from "./artifacts/store.ts";
import { StorageError } from "./errors.ts";
import type { FillWindow } from "./fill_window.ts";
import { type Timers, UNNEEDED } from "./runtime.ts";

/**
 * How a fill ended. `elsewhere`: another process kept it. `passed`: to its end, and nothing was kept; `stat`: of what
 * was verified, `unkept`: why the store could not keep it. `followed`: it failed somebody before the first byte.
 */
export type FillOutcome =
  | { readonly kind: "kept"; readonly stat: BlobStat; readonly elsewhere?: true }
  | { readonly kind: "passed"; readonly stat: BlobStat | null; readonly unkept: StorageError | null }
  | { readonly kind: "absent" }
  | { readonly kind: "failed"; readonly error: unknown; readonly followed: boolean };

/** What a follower sees of its fill. */
export interface Followed {
  readonly window: FillWindow;
  readonly store: ArtifactStore;
  readonly timers: Timers;
  readonly label: string;
  /** Resolves when there is an outcome. */
  readonly ended: Promise<void>;
  /** null: it still runs. */
  outcome(): FillOutcome | null;
  /** Resolves at the next chunk, or at the end. */
  changed(): Promise<void>;
  /** This follower took bytes. */
  moved(): void;
  /** This follower ended, was cancelled, or failed. */
  left(follower: Follower): void;
}

/**
 * Who fell behind waits for the commit, and many a client gives up when nothing comes: pip after 15 s, uv and
 * cargo after 30 s. So the 64 kB that come next are set aside, and given out in drops: for five minutes.
 */
const DROP_BYTES = 1024;
const DROP_MS = 5000;

export interface Follower {
  readonly body: ReadableStream<Uint8Array>;
  /** How many bytes it was given. */
  readonly offset: number;
  /** Errors the body at once; nothing happens where it has ended. */
  cut(error: unknown): void;
}

/** The fill must be told of the follower by whoever creates it; the follower tells when it leaves. */
export function createFollower(fill: Followed): Follower {
  let offset = 0;
  let stored: ReadableStreamDefaultReader<Uint8Array> | null = null;
  let aside: Uint8Array | null = null;
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  let over = false;

  function leave(): void {
    if (over) return;
    over = true;
    aside = null;
    fill.left(follower);
  }

  async function openStored(stat: BlobStat): Promise<ReadableStreamDefaultReader<Uint8Array>> {
    const range = offset === 0 ? undefined : { first: offset, last: stat.sizeBytes - 1 };
    const blob = await fill.store.get(stat.key, range);
    if (blob === null) {
      throw new StorageError(`Cannot go on sending ${JSON.stringify(fill.label)}: it was deleted`);
    }
    return blob.body.getReader();
  }

  async function nextStored(stat: BlobStat): Promise<Uint8Array | null> {
    stored ??= await openStored(stat);
    const { done, value } = await stored.read();
    if (!done) return value;
    if (offset === stat.sizeBytes) return null;
    throw new StorageError(
      `Cannot go on sending ${JSON.stringify(fill.label)}: ${offset} of ${stat.sizeBytes} bytes are kept`,
    );
  }

  /** The next drop; null: look again. */
  async function drop(): Promise<Uint8Array | null> {
    if (aside === null) {
      await fill.changed();
      return null;
    }
    const enough = new AbortController();
    const sleeping = fill.timers.sleep(DROP_MS, enough.signal).catch(() => {});
    await Promise.race([fill.ended, sleeping]);
    enough.abort(UNNEEDED);
    if (fill.outcome() !== null || over) return null;
    const bytes = aside.subarray(0, DROP_BYTES);
    aside = aside.length > DROP_BYTES ? aside.subarray(DROP_BYTES) : null;
    return bytes;
  }

  /** null: the end. */
  async function next(): Promise<Uint8Array | null> {
    while (true) {
      const outcome = fill.outcome();
      if (over) return null;
      if (outcome?.kind === "failed") throw outcome.error;
      const bytes = stored === null ? fill.window.at(offset) : null;
      if (bytes !== null) {
        aside = fill.window.peek(offset + bytes.length);
        return bytes;
      }
      // What another process has filled was never in the window.
      const end = outcome?.kind === "kept" ? outcome.stat.sizeBytes : fill.window.end;
      if (outcome !== null && offset === end) return null;
      if (outcome?.kind === "kept") return await nextStored(outcome.stat);
      if (outcome !== null) {
        throw new StorageError(`Cannot go on sending ${JSON.stringify(fill.label)}: it is gone`);
      }
      const dropped = offset < fill.window.start ? await drop() : await fill.changed();
      if (dropped) return dropped;
    }
  }

  async function pull(to: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      const bytes = await next();
      if (over) return dropStored();
      if (bytes === null) {
        leave();
        to.close();
        return dropStored();
      }
      offset += bytes.length;
      to.enqueue(bytes);
      fill.moved();
    } catch (error) {
      leave();
      dropStored();
      throw error;
    }
  }

  function dropStored(): void {
    stored?.cancel().catch(() => {});
    stored = null;
  }

  function cut(error: unknown): void {
    if (over) return;
    leave();
    dropStored();
    controller?.error(error);
  }

  const body = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given;
    },
    pull,
    cancel: () => {
      leave();
      dropStored();
    },
  }, { highWaterMark: 0 });

  const follower: Follower = {
    body,
    get offset() {
      return offset;
    },
    cut,
  };
  return follower;
}
