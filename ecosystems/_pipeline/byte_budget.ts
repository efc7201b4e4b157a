/** Memory that work may take at once: what is above the bound waits its turn, in order; it does not fail. */
export interface ByteBudget {
  /** Waits for room, runs, and gives the room back. More than the whole bound runs alone. */
  run<T>(bytes: number, work: () => Promise<T>): Promise<T>;
  readonly inUseBytes: number;
}

interface Waiting {
  readonly bytes: number;
  readonly go: () => void;
}

export function createByteBudget(maxBytes: number): ByteBudget {
  const queue: Waiting[] = [];
  let inUse = 0;

  function admit(): void {
    for (let next = queue[0]; next !== undefined && inUse + next.bytes <= maxBytes; next = queue[0]) {
      queue.shift();
      inUse += next.bytes;
      next.go();
    }
  }

  return {
    get inUseBytes() {
      return inUse;
    },
    async run(bytes, work) {
      const weight = Math.min(Math.max(bytes, 0), maxBytes);
      const turn = Promise.withResolvers<void>();
      queue.push({ bytes: weight, go: turn.resolve });
      admit();
      await turn.promise;
      try {
        return await work();
      } finally {
        inUse -= weight;
        admit();
      }
    },
  };
}
