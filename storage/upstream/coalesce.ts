/** Equal work at the same time is done once. */

/** Joins callers of the same key. Nothing is kept once the work has ended, well or badly. */
export interface Coalescer<T> {
  /** Runs `work`, or joins what already runs for `key`; all get the same value, or the same rejection. */
  run(key: string, work: () => Promise<T>): Promise<T>;
  /** How many keys are being worked on. */
  readonly running: number;
}

/** A shared map of one process. The work must bound its own time: whoever joins waits as long as it takes. */
export function createCoalescer<T>(): Coalescer<T> {
  const running = new Map<string, Promise<T>>();

  async function start(key: string, work: () => Promise<T>): Promise<T> {
    try {
      // The map must know the key before the work can end.
      await Promise.resolve();
      return await work();
    } finally {
      running.delete(key);
    }
  }

  function run(key: string, work: () => Promise<T>): Promise<T> {
    const known = running.get(key);
    if (known !== undefined) return known;
    const started = start(key, work);
    running.set(key, started);
    return started;
  }

  return {
    run,
    get running() {
      return running.size;
    },
  };
}
