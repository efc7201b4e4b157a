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
