/** So many at a time, the others in the order in which they came. */
import { StorageError } from "./errors.ts";

export interface Slots {
  /**
   * Resolves with what gives the slot back, which may be called more than once. Throws StorageError at once where
   * too many wait.
   */
  acquire(): Promise<() => void>;
  readonly waiting: number;
}

/** `maxWaiting` bounds the queue. */
export function createSlots(options: { readonly maxConcurrent: number; readonly maxWaiting: number }): Slots {
  const { maxConcurrent, maxWaiting } = options;
  const queue: (() => void)[] = [];
  let taken = 0;

  function releaseOnce(): () => void {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      const next = queue.shift();
      // The slot passes on; it is never free in between, so that nobody overtakes.
      if (next !== undefined) next();
      else taken--;
    };
  }

  function acquire(): Promise<() => void> {
    if (taken < maxConcurrent) {
      taken++;
      return Promise.resolve(releaseOnce());
    }
    if (queue.length >= maxWaiting) {
      throw new StorageError(`Cannot begin another download: ${maxConcurrent} run and ${maxWaiting} wait`);
    }
    return new Promise((resolve) => queue.push(() => resolve(releaseOnce())));
  }

  return {
    acquire,
    get waiting() {
      return queue.length;
    },
  };
}

/** A slot that may be given back for a while. */
export interface Place {
  /** Waits for a slot, unless it has one. Throws as `acquire`. */
  take(): Promise<void>;
  giveBack(): void;
}

/** Queues for its slot at once, and throws as `acquire` does. */
export function createPlace(slots: Slots): Place {
  let slot: Promise<() => void> | null = slots.acquire();
  return {
    async take() {
      await (slot ??= slots.acquire());
    },
    giveBack() {
      const given = slot;
      slot = null;
      given?.then((release) => release(), () => {});
    },
  };
}
