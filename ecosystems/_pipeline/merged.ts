/** Several sequences as one, in the order in which they yield; each is asked for its next only once its last was taken. */

/**
 * `begin` is called for so many items at once. Ended early, what runs is told to end, and waited for; a sequence
 * that throws ends all of them.
 */
export async function* merged<T, R>(
  items: Iterable<T>,
  options: { readonly concurrency: number; readonly begin: (item: T) => AsyncIterable<R> },
): AsyncGenerator<R> {
  const waiting = items[Symbol.iterator]();
  const running = new Map<AsyncIterator<R>, Promise<Step<R>>>();

  function ask(iterator: AsyncIterator<R>): void {
    const step = iterator.next().then((result) => ({ iterator, result }));
    // Whoever races sees it; what is left when another ends them all is nobody's.
    step.catch(() => {});
    running.set(iterator, step);
  }

  function beginNext(): void {
    const next = waiting.next();
    if (!next.done) ask(options.begin(next.value)[Symbol.asyncIterator]());
  }

  try {
    for (let i = 0; i < options.concurrency; i++) beginNext();
    while (running.size > 0) {
      const { iterator, result } = await Promise.race(running.values());
      if (result.done) {
        running.delete(iterator);
        beginNext();
        continue;
      }
      ask(iterator);
      yield result.value;
    }
  } finally {
    await Promise.allSettled([...running.keys()].map((iterator) => iterator.return?.()));
  }
}

interface Step<R> {
  readonly iterator: AsyncIterator<R>;
  readonly result: IteratorResult<R>;
}
